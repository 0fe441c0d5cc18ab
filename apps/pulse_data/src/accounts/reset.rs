//! A new password for somebody who forgot theirs.
//!
//! **Invariant.** A reset token is good once, for a short time, and reaches only the account's own mailbox: it is drawn
//! when the letter is handed over, and neither the job nor any other row ever holds it, so whoever reads the database
//! can't use a reset. Asking is answered the same whether there is an account or not.

use std::time::Duration;

use futures::FutureExt as _;
use jobs::NewJob;
use pulse_core::access::Forbidden;
use pulse_core::{Permission, Principal, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::secret::{self, Use};
use super::{AccountError, Accounts, Email, before, password, session, throttle};
use crate::mail::{self, Outgoing};
use crate::{DbError, Sql as _, audit};

/// The worker that draws a reset's token and sends it; its arguments are a [`ResetRequest`].
pub const RESET_WORKER: &str = "account.send_reset";

/// A reset that was asked for, as its job names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetRequest {
    /// The request's row. It is no token, and none can be made of it.
    pub name: String,
}

/// One mail an account in this time: the form can't be used to flood a mailbox.
const PAUSE: Duration = Duration::from_mins(1);

impl Accounts {
    /// Has a reset link sent to the address, if it is an active account's. Says nothing about whether it is.
    pub async fn request_reset(&self, email: &str) -> Result<(), AccountError> {
        let Ok(email) = email.parse::<Email>() else { return Ok(()) };
        // The hash of a secret that is forgotten here: it names the request, and opens nothing.
        let name = secret::hash(Use::Reset, secret::draw("").reveal());
        let now = self.clock.now();
        let input = (email, name, now, now.after(self.options.reset_life), before(now, PAUSE));
        self.repo
            .write_with(input, |tx, (email, name, now, expires_at, recent)| {
                async move {
                    const SQL: &str = "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) \
                                       SELECT $1, id, $3, $4 FROM users u WHERE email = $2 \
                                       AND status = 'active' AND NOT EXISTS (SELECT 1 FROM password_resets r \
                                       WHERE r.user_id = u.id AND r.created_at > $5) RETURNING user_id";
                    let values = vec![
                        name.as_str().into(),
                        email.as_str().into(),
                        now.0.into(),
                        expires_at.0.into(),
                        recent.0.into(),
                    ];
                    let Some(row) = tx.row(SQL, values).await? else { return Ok(()) };
                    let id: i64 = row.try_get("", "user_id")?;
                    let job = NewJob::new(RESET_WORKER, json!(ResetRequest { name: name.clone() }))
                        .queue(mail::MAIL_QUEUE)
                        .unique(format!("reset:{name}"));
                    jobs::enqueue(tx, &job).await?;
                    audit::record(tx, &Principal::Guest, "account.request_reset", &format!("user:{id}"), json!({}))
                        .await
                }
                .boxed()
            })
            .await
            .map_err(|error: DbError| error.into())
    }

    /// The letter of a reset that was asked for, with a token that is drawn here and now; `None` where the request is
    /// over. Only the job that sends it may ask. Each call draws a token of its own, good until the request's end: an
    /// attempt whose letter may have gone out leaves that letter's token alone.
    pub async fn reset_letter(
        &self,
        who: &Principal,
        request: &ResetRequest,
    ) -> Result<Option<Outgoing>, AccountError> {
        if !matches!(who, Principal::System(_)) {
            return Err(Forbidden { permission: Permission::ManageAccounts }.into());
        }
        let token = secret::draw("");
        let input = (secret::hash(Use::Reset, token.reveal()), request.name.clone(), self.clock.now());
        let to: Option<String> = self
            .repo
            .write_with(input, |tx, (hash, name, now)| {
                async move {
                    const MINT: &str = "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) \
                                        SELECT $1, r.user_id, r.created_at, r.expires_at FROM password_resets r \
                                        JOIN users u ON u.id = r.user_id WHERE r.token_hash = $2 \
                                        AND r.used_at IS NULL AND r.expires_at > $3 AND u.status = 'active' \
                                        RETURNING user_id";
                    let values = vec![hash.as_str().into(), name.as_str().into(), now.0.into()];
                    let Some(row) = tx.row(MINT, values).await? else { return Ok(None) };
                    let id: i64 = row.try_get("", "user_id")?;
                    let row = tx.row("SELECT email FROM users WHERE id = $1", vec![id.into()]).await?;
                    Ok(row.map(|row| row.try_get("", "email")).transpose()?.flatten())
                }
                .boxed()
            })
            .await
            .map_err(|error: DbError| AccountError::from(error))?;
        Ok(to.map(|to| {
            let link = format!("{}/password/reset?token={}", self.options.public_url, token.reveal());
            let body = format!(
                "Somebody, hopefully you, asked for a new password.\n\nChoose it here, within {} minutes:\n{link}\n\n\
                 If it was not you, do nothing: your password stays what it is.\n",
                self.options.reset_life.as_secs() / 60
            );
            let letter = mail::Letter { to, subject: "Your new password".to_owned(), body, unsubscribe: None };
            Outgoing { key: format!("reset:{}", request.name), letter }
        }))
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
