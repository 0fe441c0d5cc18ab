//! API tokens: how programs prove in whose name they act.
//!
//! **Invariant.** A token has what its account has now, never more; it is shown once, named by its owner, and good until
//! it is revoked or the account is locked.

use futures::FutureExt as _;
use pulse_core::{Principal, Timestamp, UserId};
use serde_json::json;

use super::secret::{self, Secret, Use};
use super::user::{own_or_manage, read_role};
use super::{AccountError, Accounts};
use crate::changeset::FieldErrors;
use crate::{DbError, Sql as _, audit};

/// Tokens an account may have at a time.
const MOST: i64 = 50;

/// A token, as its owner sees it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its number.
    pub id: i64,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub used_at: Option<Timestamp>,
}

/// A token that was just made: the only moment at which its secret is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiToken {
    /// What is kept.
    pub token: ApiToken,
    /// What the program sends as `Authorization: Bearer …`.
    pub secret: Secret,
}

impl Accounts {
    /// Makes a token for one's own account.
    pub async fn create_token(&self, who: &Principal, name: &str) -> Result<NewApiToken, AccountError> {
        let Some(user) = who.user() else { return Err(AccountError::WrongCredentials) };
        let name = name.trim();
        if !(1..=80).contains(&name.chars().count()) {
            return Err(FieldErrors::one("name", "length", "must have 1 to 80 characters").into());
        }
        let secret = secret::draw("pulse_");
        let hash = secret::hash(Use::ApiToken, secret.reveal());
        let input = (who.clone(), user, name.to_owned(), hash, self.clock.now());
        let token = self
            .repo
            .write_with(input, |tx, (who, user, name, hash, now)| {
                async move {
                    const SQL: &str = "INSERT INTO api_tokens (user_id, name, token_hash, created_at) \
                                       SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM api_tokens \
                                       WHERE user_id = $1 AND revoked_at IS NULL) < $5 RETURNING id";
                    let values = vec![
                        user.0.into(),
                        name.as_str().into(),
                        hash.as_str().into(),
                        now.0.into(),
                        MOST.into(),
                    ];
                    let Some(row) = tx.row(SQL, values).await? else {
                        let full = format!("an account has at most {MOST} tokens: revoke one first");
                        return Err(FieldErrors::one("name", "full", full).into());
                    };
                    let id: i64 = row.try_get("", "id").map_err(DbError::from)?;
                    let details = json!({ "token": id, "name": name });
                    audit::record(tx, who, "account.create_token", &format!("user:{user}"), details).await?;
                    Ok::<_, AccountError>(ApiToken {
                        id,
                        name: name.clone(),
                        created_at: *now,
                        used_at: None,
                    })
                }
                .boxed()
            })
            .await?;
        Ok(NewApiToken { token, secret })
    }

    /// In whose name a bearer token acts; `None` where it is unknown or revoked, or the account is locked.
    pub async fn bearer(&self, secret: &str) -> Result<Option<Principal>, DbError> {
        const SQL: &str = "SELECT t.used_at, u.id, u.role FROM api_tokens t JOIN users u ON u.id = t.user_id \
                           WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND u.status = 'active'";
        let hash = secret::hash(Use::ApiToken, secret);
        let Some(row) = self.repo.reader().row(SQL, vec![hash.as_str().into()]).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        let used_at: Option<i64> = row.try_get("", "used_at")?;
        if used_at.is_none_or(|used_at| Timestamp(used_at).after(super::session::TOUCH) <= now) {
            self.touch("UPDATE api_tokens SET used_at = $2 WHERE token_hash = $1", hash, now);
        }
        let role = read_role(&row.try_get::<String>("", "role")?)?;
        Ok(Some(Principal::User { id: UserId(row.try_get("", "id")?), role }))
    }

    /// The tokens of an account that are not revoked, oldest first.
    pub async fn tokens(&self, who: &Principal, user: UserId) -> Result<Vec<ApiToken>, AccountError> {
        const SQL: &str = "SELECT id, name, created_at, used_at FROM api_tokens \
                           WHERE user_id = $1 AND revoked_at IS NULL ORDER BY id";
        own_or_manage(who, user)?;
        let rows = self.repo.reader().rows(SQL, vec![user.0.into()]).await?;
        let read = |row: &sea_orm::QueryResult| -> Result<ApiToken, sea_orm::DbErr> {
            Ok(ApiToken {
                id: row.try_get("", "id")?,
                name: row.try_get("", "name")?,
                created_at: Timestamp(row.try_get("", "created_at")?),
                used_at: row.try_get::<Option<i64>>("", "used_at")?.map(Timestamp),
            })
        };
        Ok(rows.iter().map(read).collect::<Result<_, _>>().map_err(DbError::from)?)
    }

    /// Makes a token worthless.
    pub async fn revoke_token(&self, who: &Principal, user: UserId, id: i64) -> Result<(), AccountError> {
        own_or_manage(who, user)?;
        self.repo
            .write_with((who.clone(), user, id, self.clock.now()), |tx, (who, user, id, now)| {
                async move {
                    const SQL: &str = "UPDATE api_tokens SET revoked_at = $3 \
                                       WHERE id = $2 AND user_id = $1 AND revoked_at IS NULL";
                    let values = vec![user.0.into(), (*id).into(), now.0.into()];
                    if tx.exec(SQL, values).await? == 0 {
                        return Err(AccountError::NoSuchToken);
                    }
                    let details = json!({ "token": id });
                    audit::record(tx, who, "account.revoke_token", &format!("user:{user}"), details).await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }
}
