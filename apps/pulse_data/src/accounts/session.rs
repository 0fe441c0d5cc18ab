//! Sessions: what a browser's cookie stands for.
//!
//! **Invariant.** A session is good while it is in use (idle limit), not too old (absolute limit), and its account is
//! active. Its CSRF token is derived from the session's own secret, so it needs no storage and ends with it.

use std::time::Duration;

use futures::FutureExt as _;
use pulse_core::{Principal, Timestamp, UserId};
use serde_json::json;

use super::secret::{self, Secret, Use};
use super::user::{User, own_or_manage, read, read_role};
use super::{AccountError, AccountOptions, Accounts, before};
use crate::{DbError, Sql as _, Tx, audit};

/// The time of the last use is written down this often: a page view costs no write.
pub(super) const TOUCH: Duration = Duration::from_mins(1);

/// Somebody who has proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// In whose name to act.
    pub principal: Principal,
    /// Which account.
    pub user: UserId,
    /// Its address.
    pub email: Option<String>,
    /// The session's secret, for the cookie.
    pub token: Secret,
    /// What forms and scripts must send back, beside the cookie.
    pub csrf: Secret,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// One session, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// Names it for [`Accounts::revoke_session`]; no secret.
    pub id: String,
    /// The browser's name.
    pub client: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// Whether a CSRF token is the one of a session.
pub fn csrf_matches(session_token: &str, presented: &str) -> bool {
    secret::same(secret::derive(Use::Csrf, session_token).reveal(), presented)
}

pub(super) struct NewSession {
    token: Secret,
    user: UserId,
    created_at: Timestamp,
    expires_at: Timestamp,
    client: String,
}

impl NewSession {
    pub(super) fn signed_in(&self, user: &User) -> SignedIn {
        SignedIn {
            principal: Principal::User { id: user.id, role: user.role },
            user: user.id,
            email: user.email.clone(),
            csrf: secret::derive(Use::Csrf, self.token.reveal()),
            token: self.token.clone(),
            expires_at: self.expires_at,
        }
    }
}

pub(super) fn new(user: &User, client: &str, now: Timestamp, options: &AccountOptions) -> NewSession {
    let client: String = client.chars().filter(|c| !c.is_control()).take(120).collect();
    let expires_at = now.after(options.session_life);
    NewSession { token: secret::draw(""), user: user.id, created_at: now, expires_at, client }
}

pub(super) fn token_hash(token: &str) -> String {
    secret::hash(Use::Session, token)
}

pub(super) async fn insert(tx: &Tx, session: &NewSession) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at, client) \
                       VALUES ($1, $2, $3, $3, $4, $5)";
    let values = vec![
        token_hash(session.token.reveal()).into(),
        session.user.0.into(),
        session.created_at.0.into(),
        session.expires_at.0.into(),
        session.client.as_str().into(),
    ];
    tx.exec(SQL, values).await.map(drop)
}

impl Accounts {
    /// Whose session this is; `None` where it is unknown or over, or the account is locked.
    pub async fn resume(&self, token: &str) -> Result<Option<SignedIn>, DbError> {
        let Some((user, expires_at)) = self.used(&token_hash(token)).await? else { return Ok(None) };
        Ok(Some(SignedIn {
            principal: Principal::User { id: user.id, role: user.role },
            user: user.id,
            email: user.email,
            token: secret::present(token),
            csrf: secret::derive(Use::Csrf, token),
            expires_at,
        }))
    }

    /// The [`SessionInfo::id`] of the session that this token opens. It opens nothing itself.
    pub fn session_id(token: &str) -> String {
        token_hash(token)
    }

    /// Whose session this is, by its [`SessionInfo::id`], for whoever was shown its token before and has kept a proof
    /// of that; `None` as in [`resume`](Self::resume).
    pub async fn revisit(&self, session: &str) -> Result<Option<User>, DbError> {
        Ok(self.used(session).await?.map(|(user, _)| user))
    }

    /// The account of a running session and when that ends; notes the use.
    async fn used(&self, hash: &str) -> Result<Option<(User, Timestamp)>, DbError> {
        const SQL: &str = "SELECT u.id, u.email, u.external_ref, u.country, u.role, u.status, u.created_at, \
                           s.seen_at, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id \
                           WHERE s.token_hash = $1 AND s.expires_at > $2 AND s.seen_at > $3 \
                           AND u.status = 'active'";
        let now = self.clock.now();
        let idle = before(now, self.options.session_idle);
        let values = vec![hash.into(), now.0.into(), idle.0.into()];
        let Some(row) = self.repo.reader().row(SQL, values).await? else { return Ok(None) };
        let user = read(&row)?;
        let seen_at = Timestamp(row.try_get("", "seen_at")?);
        let expires_at = Timestamp(row.try_get("", "expires_at")?);
        if seen_at.after(TOUCH) <= now {
            const TOUCHED: &str = "UPDATE sessions SET seen_at = $2 WHERE token_hash = $1 AND seen_at < $2";
            self.touch(TOUCHED, hash.to_owned(), now);
        }
        Ok(Some((user, expires_at)))
    }

    /// Notes a use in the background: nobody waits for it, and a lost one costs a minute of idle time.
    pub(super) fn touch(&self, sql: &'static str, key: String, now: Timestamp) {
        let repo = self.repo.clone();
        tokio::spawn(async move {
            let noted = repo
                .write_with((sql, key, now), |tx, (sql, key, now)| {
                    async move { tx.exec(sql, vec![key.as_str().into(), now.0.into()]).await }.boxed()
                })
                .await;
            if let Err(error) = noted {
                tracing::debug!(%error, "the time of a session's use was not noted");
            }
        });
    }

    /// Ends the session of a token, if there is one.
    pub async fn sign_out(&self, token: &str) -> Result<(), DbError> {
        self.repo
            .write_with(token_hash(token), |tx, hash| {
                async move {
                    const SQL: &str = "DELETE FROM sessions WHERE token_hash = $1 RETURNING user_id, \
                                       (SELECT role FROM users WHERE id = user_id) AS role";
                    let Some(row) = tx.row(SQL, vec![hash.as_str().into()]).await? else { return Ok(()) };
                    let id = UserId(row.try_get("", "user_id")?);
                    let who = Principal::User { id, role: read_role(&row.try_get::<String>("", "role")?)? };
                    audit::record(tx, &who, "account.sign_out", &format!("user:{id}"), json!({})).await
                }
                .boxed()
            })
            .await
    }

    /// The running sessions of an account, newest use first: one's own, or with
    /// [`ManageAccounts`](pulse_core::Permission::ManageAccounts) anybody's. At most 100.
    pub async fn sessions(&self, who: &Principal, user: UserId) -> Result<Vec<SessionInfo>, AccountError> {
        const SQL: &str = "SELECT token_hash, client, created_at, seen_at, expires_at FROM sessions \
                           WHERE user_id = $1 AND expires_at > $2 AND seen_at > $3 \
                           ORDER BY seen_at DESC, token_hash LIMIT 100";
        own_or_manage(who, user)?;
        let now = self.clock.now();
        let idle = before(now, self.options.session_idle);
        let rows = self.repo.reader().rows(SQL, vec![user.0.into(), now.0.into(), idle.0.into()]).await?;
        let read = |row: &sea_orm::QueryResult| -> Result<SessionInfo, sea_orm::DbErr> {
            Ok(SessionInfo {
                id: row.try_get("", "token_hash")?,
                client: row.try_get("", "client")?,
                created_at: Timestamp(row.try_get("", "created_at")?),
                seen_at: Timestamp(row.try_get("", "seen_at")?),
                expires_at: Timestamp(row.try_get("", "expires_at")?),
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, _>>().map_err(DbError::from)?)
    }

    /// Ends one session by its [`SessionInfo::id`], or all for `None`; answers how many ended.
    pub async fn revoke_session(
        &self,
        who: &Principal,
        user: UserId,
        id: Option<&str>,
    ) -> Result<u64, AccountError> {
        own_or_manage(who, user)?;
        let id = id.map(str::to_owned);
        self.repo
            .write_with((who.clone(), user, id), |tx, (who, user, id)| {
                async move {
                    let ended = match id {
                        Some(id) => {
                            let values = vec![user.0.into(), id.as_str().into()];
                            tx.exec("DELETE FROM sessions WHERE user_id = $1 AND token_hash = $2", values)
                                .await?
                        }
                        None => revoke_all(tx, *user).await?,
                    };
                    let details = json!({ "sessions": ended });
                    audit::record(tx, who, "account.revoke_sessions", &format!("user:{user}"), details)
                        .await?;
                    Ok(ended)
                }
                .boxed()
            })
            .await
    }
}

pub(super) async fn revoke_all(tx: &Tx, user: UserId) -> Result<u64, DbError> {
    tx.exec("DELETE FROM sessions WHERE user_id = $1", vec![user.0.into()]).await
}
