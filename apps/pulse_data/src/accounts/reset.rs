//! A new password for somebody who forgot theirs.
//!
//! **Invariant.** A reset token is good once, for a short time, and reaches only the account's own mailbox. Asking is
//! answered the same whether there is an account or not.

use std::time::Duration;

use futures::FutureExt as _;
use pulse_core::{Principal, UserId};
use serde_json::json;

use super::secret::{self, Use};
use super::{AccountError, Accounts, Email, before, password, session, throttle};
use crate::{DbError, Sql as _, audit, mail};

/// One mail an account in this time: the form can't be used to flood a mailbox.
const PAUSE: Duration = Duration::from_mins(1);

impl Accounts {
    /// Sends a reset link to the address, if it is an active account's. Says nothing about whether it is.
    pub async fn request_reset(&self, email: &str) -> Result<(), AccountError> {
        let Ok(email) = email.parse::<Email>() else { return Ok(()) };
        let token = secret::draw("");
        let hash = secret::hash(Use::Reset, token.reveal());
        let now = self.clock.now();
        let expires_at = now.after(self.options.reset_life);
        let link = format!("{}/reset?token={}", self.options.public_url, token.reveal());
        let body = format!(
            "Somebody, hopefully you, asked for a new password.\n\nChoose it here, within {} minutes:\n{link}\n\n\
             If it was not you, do nothing: your password stays what it is.\n",
            self.options.reset_life.as_secs() / 60
        );
        let input = (email, hash, now, expires_at, before(now, PAUSE), body);
        self.repo
            .write_with(input, |tx, (email, hash, now, expires_at, recent, body)| {
                async move {
                    const SQL: &str = "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) \
                                       SELECT $1, id, $3, $4 FROM users u WHERE email = $2 \
                                       AND status = 'active' AND NOT EXISTS (SELECT 1 FROM password_resets r \
                                       WHERE r.user_id = u.id AND r.created_at > $5) RETURNING user_id";
                    let values = vec![
                        hash.as_str().into(),
                        email.as_str().into(),
                        now.0.into(),
                        expires_at.0.into(),
                        recent.0.into(),
                    ];
                    let Some(row) = tx.row(SQL, values).await? else { return Ok(()) };
                    let id: i64 = row.try_get("", "user_id")?;
                    let letter = mail::Letter {
                        to: email.to_string(),
                        subject: "Your new password".to_owned(),
                        body: body.clone(),
                    };
                    mail::enqueue(tx, &format!("reset:{hash}"), &letter).await?;
                    audit::record(tx, &Principal::Guest, "account.request_reset", &format!("user:{id}"), json!({}))
                        .await
                }
                .boxed()
            })
            .await
            .map_err(|error: DbError| error.into())
    }

    /// Sets a new password with a reset token. All sessions end, other resets too.
    pub async fn reset_password(&self, token: &str, new: &str) -> Result<UserId, AccountError> {
        const PEEK: &str = "SELECT 1 AS one FROM password_resets \
                            WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
        password::acceptable("password", new)?;
        let hash = secret::hash(Use::Reset, token);
        let now = self.clock.now();
        // A look first: a wrong token costs no hash.
        let values = vec![hash.as_str().into(), now.0.into()];
        if self.repo.reader().row(PEEK, values).await?.is_none() {
            return Err(AccountError::ResetExpired);
        }
        let password = self.hasher.hash(new).await?;
        self.repo
            .write_with((hash, now, password), |tx, (hash, now, password)| {
                async move {
                    const USE: &str = "UPDATE password_resets SET used_at = $2 \
                                       WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 \
                                       RETURNING user_id";
                    let row = tx.row(USE, vec![hash.as_str().into(), now.0.into()]).await?;
                    let row = row.ok_or(AccountError::ResetExpired)?;
                    let id = UserId(row.try_get("", "user_id").map_err(DbError::from)?);
                    let set = "UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING email";
                    let row = tx.row(set, vec![id.0.into(), password.as_str().into()]).await?;
                    let email: Option<String> = row.and_then(|row| row.try_get("", "email").ok()).flatten();
                    tx.exec(
                        "UPDATE password_resets SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL",
                        vec![id.0.into(), now.0.into()],
                    )
                    .await?;
                    session::revoke_all(tx, id).await?;
                    // Its owner has proved who they are: whoever guessed before does not keep them out.
                    throttle::forget(tx, &throttle::account(&email.unwrap_or_default())).await?;
                    audit::record(
                        tx,
                        &Principal::Guest,
                        "account.reset_password",
                        &format!("user:{id}"),
                        json!({}),
                    )
                    .await?;
                    Ok(id)
                }
                .boxed()
            })
            .await
    }
}
