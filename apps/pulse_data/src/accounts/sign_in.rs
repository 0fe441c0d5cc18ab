//! Proving who one is with a password.
//!
//! **Invariant.** Every attempt is counted, then costs one hash, then is answered; only the holder of the password
//! learns that an account is locked.

use futures::FutureExt as _;
use pulse_core::Principal;
use serde_json::json;

use super::user::{COLUMNS, own_or_manage, read};
use super::{AccountError, Accounts, Email, SignedIn, User, UserStatus, password, session, throttle};
use crate::{Sql as _, audit};

impl Accounts {
    /// Checks an address and its password, and begins a session. `client` is what is shown in the list of sessions
    /// (a browser's name).
    pub async fn sign_in(&self, email: &str, password: &str, client: &str) -> Result<SignedIn, AccountError> {
        let user = self.check(email, password).await?;
        let session = session::new(&user, client, self.clock.now(), &self.options);
        let account = throttle::account(email);
        self.repo
            .write_with((user, session, account), |tx, (user, session, account)| {
                async move {
                    throttle::forget(tx, account).await?;
                    session::insert(tx, session).await?;
                    let who = Principal::User { id: user.id, role: user.role };
                    audit::record(tx, &who, "account.sign_in", &format!("user:{}", user.id), json!({}))
                        .await?;
                    Ok(session.signed_in(user))
                }
                .boxed()
            })
            .await
    }

    /// Checks an address and its password without beginning a session.
    pub async fn authenticate(&self, email: &str, password: &str) -> Result<User, AccountError> {
        let user = self.check(email, password).await?;
        let account = throttle::account(email);
        self.repo.write_with(account, |tx, account| throttle::forget(tx, account).boxed()).await?;
        Ok(user)
    }

    /// Another password for one's own account. All sessions end but the one whose [`SessionInfo::id`] is `keep`.
    ///
    /// [`SessionInfo::id`]: super::SessionInfo::id
    pub async fn change_password(
        &self,
        who: &Principal,
        old: &str,
        new: &str,
        keep: Option<&str>,
    ) -> Result<(), AccountError> {
        let Some(id) = who.user() else { return Err(AccountError::WrongCredentials) };
        own_or_manage(who, id)?;
        password::acceptable("new_password", new)?;
        let user = self.get(who, id).await?;
        // The throttle of the address guards this door too.
        self.authenticate(user.email.as_deref().unwrap_or_default(), old).await?;
        let hash = self.hasher.hash(new).await?;
        let keep = keep.unwrap_or_default().to_owned();
        self.repo
            .write_with((who.clone(), id, hash, keep), |tx, (who, id, hash, keep)| {
                async move {
                    let values = vec![id.0.into(), hash.as_str().into()];
                    tx.exec("UPDATE users SET password_hash = $2 WHERE id = $1", values).await?;
                    let values = vec![id.0.into(), keep.as_str().into()];
                    tx.exec("DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2", values).await?;
                    audit::record(tx, who, "account.password", &format!("user:{id}"), json!({})).await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn check(&self, email: &str, password: &str) -> Result<User, AccountError> {
        let now = self.clock.now();
        let account = throttle::account(email);
        self.repo
            .write_with((account, now), |tx, (account, now)| throttle::count(tx, account, *now).boxed())
            .await?;
        let row = match email.parse::<Email>() {
            Ok(email) => {
                let sql = format!("SELECT {COLUMNS}, password_hash FROM users WHERE email = $1");
                self.repo.reader().row(&sql, vec![email.as_str().into()]).await?
            }
            Err(_) => None,
        };
        let found = match row {
            Some(row) => {
                let hash: Option<String> = row.try_get("", "password_hash").map_err(crate::DbError::from)?;
                Some((read(&row)?, hash))
            }
            None => None,
        };
        let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), hash));
        let right = self.hasher.verify(password, hash).await?;
        match user.filter(|_| right) {
            None => Err(AccountError::WrongCredentials),
            Some(user) if user.status == UserStatus::Locked => Err(AccountError::Locked),
            Some(user) => Ok(user),
        }
    }
}
