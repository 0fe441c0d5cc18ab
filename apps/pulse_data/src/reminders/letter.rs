//! The letter of a reminder.
//!
//! **Invariant.** It is written when it is handed over: a cart that was changed, emptied or bought meanwhile is not
//! reminded of, nor an account that has opted out. The link that stops reminders is drawn here and kept as a hash.

use std::fmt::Write as _;

use futures::FutureExt as _;
use pulse_core::Principal;
use pulse_core::cart::Line;
use sea_orm::ConnectionTrait;

use super::{Reminder, ReminderError, Reminders, system};
use crate::accounts::reminder_secret;
use crate::mail::{Letter, Outgoing};
use crate::{DbError, Sql as _, carts, catalog};

/// Lines that a letter names; the rest is counted.
const MOST_LINES: usize = 20;

impl Reminders {
    /// The letter of a reminder; `None` where it makes no sense any more. For the shop's own jobs alone.
    pub async fn letter(
        &self,
        who: &Principal,
        reminder: Reminder,
    ) -> Result<Option<Outgoing>, ReminderError> {
        const ADDRESS: &str = "SELECT email FROM users WHERE id = $1 AND reminders AND status = 'active'";
        system(who)?;
        let db = self.repo.reader();
        let Some(stored) = carts::load(&self.repo, carts::of_user(reminder.user)).await? else {
            return Ok(None);
        };
        let same = i64::try_from(stored.version.0).is_ok_and(|version| version == reminder.version);
        if !same || stored.cart.lines.is_empty() {
            return Ok(None);
        }
        let row = db.row(ADDRESS, vec![reminder.user.0.into()]).await?;
        let to: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
        let Some(to) = to else { return Ok(None) };
        let lines = lines(db, &stored.cart.lines).await?;
        let (token, hash) = reminder_secret();
        self.repo
            .write_with((hash, reminder, self.clock.now()), |tx, (hash, reminder, now)| {
                async move {
                    let sql =
                        "INSERT INTO reminder_links (token_hash, user_id, created_at) VALUES ($1, $2, $3)";
                    tx.exec(sql, vec![hash.as_str().into(), reminder.user.0.into(), now.0.into()]).await
                }
                .boxed()
            })
            .await
            .map_err(|error: DbError| ReminderError::from(error))?;
        let stop = format!("{}/reminders/stop?token={}", self.public_url, token.reveal());
        let body = format!(
            "This still lies in your cart:\n\n{lines}\nIt waits for you at {}/cart\n\n\
             If you want no more reminders: {stop}\n",
            self.public_url
        );
        let letter =
            Letter { to, subject: "Something waits in your cart".to_owned(), body, unsubscribe: Some(stop) };
        let key = format!("cart-reminder:{}:{}", reminder.user, reminder.version);
        Ok(Some(Outgoing { key, letter }))
    }
}

/// What is in the cart, as lines of text.
async fn lines(db: &impl ConnectionTrait, lines: &[Line]) -> Result<String, DbError> {
    let skus: Vec<_> = lines.iter().take(MOST_LINES).map(|line| line.sku).collect();
    let names = catalog::names(db, &skus).await?;
    let mut text = String::new();
    for line in lines.iter().take(MOST_LINES) {
        let name = names.get(&line.sku).map_or_else(|| line.sku.to_string(), Clone::clone);
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {} x {name} at {}", line.quantity, line.price.unit);
    }
    if let Some(more) = lines.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more lines");
    }
    Ok(text)
}
