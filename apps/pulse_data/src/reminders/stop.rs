//! Wanting no more reminders, or wanting them again.
//!
//! **Invariant.** A link from a letter stops the reminders of its own account and does nothing else; it can be used
//! again. Whoever is signed in decides for their own account.

use std::time::Duration;

use futures::FutureExt as _;
use pulse_core::access::Forbidden;
use pulse_core::{Permission, Principal, Timestamp, UserId};
use serde_json::json;

use super::{ReminderError, Reminders, system};
use crate::accounts::reminder_hash;
use crate::{DbError, Sql as _, audit};

impl Reminders {
    /// Stops the reminders of the account whose letter had this link. `false` where there is no such link (any more).
    pub async fn stop(&self, token: &str) -> Result<bool, ReminderError> {
        let stopped = self.repo.write_with(reminder_hash(token), |tx, hash| {
            async move {
                const SQL: &str = "UPDATE users SET reminders = FALSE WHERE id = \
                                   (SELECT user_id FROM reminder_links WHERE token_hash = $1) RETURNING id";
                let Some(row) = tx.row(SQL, vec![hash.as_str().into()]).await? else { return Ok(false) };
                let id = UserId(row.try_get_by_index(0)?);
                audit::record(
                    tx,
                    &Principal::Guest,
                    "account.stop_reminders",
                    &format!("user:{id}"),
                    json!({}),
                )
                .await?;
                Ok::<_, DbError>(true)
            }
            .boxed()
        });
        Ok(stopped.await?)
    }

    /// Whether one's own account is reminded.
    pub async fn wanted(&self, who: &Principal) -> Result<bool, ReminderError> {
        let id = own(who)?;
        let row =
            self.repo.reader().row("SELECT reminders FROM users WHERE id = $1", vec![id.0.into()]).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(false))
    }

    /// Says whether one's own account is to be reminded.
    pub async fn want(&self, who: &Principal, wanted: bool) -> Result<(), ReminderError> {
        let id = own(who)?;
        self.repo
            .write_with((who.clone(), id, wanted), |tx, (who, id, wanted)| {
                async move {
                    let sql = "UPDATE users SET reminders = $2 WHERE id = $1";
                    tx.exec(sql, vec![id.0.into(), (*wanted).into()]).await?;
                    let details = json!({ "wanted": wanted });
                    audit::record(tx, who, "account.set_reminders", &format!("user:{id}"), details).await
                }
                .boxed()
            })
            .await
            .map_err(|error: DbError| error.into())
    }

    /// Forgets links that are older than `keep`; answers how many, 1,000 at most. For the shop's own jobs alone.
    pub async fn prune(&self, who: &Principal, keep: Duration) -> Result<u64, ReminderError> {
        const SQL: &str = "DELETE FROM reminder_links WHERE token_hash IN \
                           (SELECT token_hash FROM reminder_links WHERE created_at < $1 LIMIT 1000)";
        system(who)?;
        let by = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp(self.clock.now().0.saturating_sub(by));
        let run = self.repo.write_with(before, |tx, before| {
            async move { tx.exec(SQL, vec![before.0.into()]).await }.boxed()
        });
        run.await.map_err(|error: DbError| error.into())
    }
}

fn own(who: &Principal) -> Result<UserId, Forbidden> {
    who.user().ok_or(Forbidden { permission: Permission::ManageAccounts })
}
