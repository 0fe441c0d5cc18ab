//! Looking at the carts of accounts, a page of accounts at a time.
//!
//! **Invariant.** A page is one transaction: what was seen, what is due and its jobs commit together. A cart that was
//! emptied or bought is forgotten; its versions only grow, so none comes back.

use std::time::Duration;

use futures::FutureExt as _;
use jobs::NewJob;
use pulse_core::{Principal, Timestamp, UserId};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::json;

use super::{REMIND_WORKER, Reminder, ReminderError, Reminders, system};
use crate::catalog::sql::Dialects;
use crate::catalog::stock::json as list;
use crate::mail::MAIL_QUEUE;
use crate::{DbError, Sql as _, Tx, carts};

/// Accounts of a page.
const BATCH: usize = 500;

/// Letters that nobody waits for go behind those that somebody does.
const PRIORITY: u8 = 5;

/// A reminder that can't be delivered for a day is one nobody needs.
const ATTEMPTS: u32 = 12;

impl Reminders {
    /// Looks at the carts of all accounts that want to be reminded, and enqueues a reminder of each that was left
    /// alone for as long as `after`. Answers how many. For the shop's own jobs alone. O(accounts).
    pub async fn watch(&self, who: &Principal, after: Duration) -> Result<usize, ReminderError> {
        system(who)?;
        let now = self.clock.now();
        let by = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        let since = Timestamp(now.0.saturating_sub(by));
        let (mut from, mut enqueued) = (0, 0);
        loop {
            let users = page(self.repo.reader(), from).await?;
            let Some(last) = users.last().copied() else { return Ok(enqueued) };
            // The last page reaches to the end: whoever was deleted or opted out behind it is forgotten, too.
            let full = users.len() == BATCH;
            let to = if full { last.0 } else { i64::MAX };
            let carts = filled(self.repo.reader(), &users).await?;
            let input = (from, to, carts, now, since);
            enqueued += self
                .repo
                .write_with(input, |tx, (from, to, carts, now, since)| {
                    note(tx, *from, *to, carts, *now, *since).boxed()
                })
                .await?;
            if !full {
                return Ok(enqueued);
            }
            from = last.0;
        }
    }
}

/// The next accounts that want to be reminded.
async fn page(db: &impl ConnectionTrait, from: i64) -> Result<Vec<UserId>, DbError> {
    let sql = format!(
        "SELECT id FROM users WHERE id > $1 AND reminders AND status = 'active' AND email IS NOT NULL \
         ORDER BY id LIMIT {BATCH}"
    );
    let rows = db.rows(&sql, vec![from.into()]).await?;
    rows.iter().map(|row| Ok(UserId(row.try_get_by_index(0)?))).collect()
}

const FILLED: Dialects = Dialects {
    sqlite: "SELECT u.value ->> 0, c.version FROM json_each($1) u JOIN carts c ON c.id = u.value ->> 1 \
             WHERE c.body NOT LIKE '{\"l\":[]%'",
    postgres: "SELECT (u ->> 0)::bigint, c.version FROM jsonb_array_elements($1::jsonb) u \
               JOIN carts c ON c.id = u ->> 1 WHERE c.body NOT LIKE '{\"l\":[]%'",
};

/// Those of these accounts whose carts have lines, with the carts' versions.
async fn filled(db: &impl ConnectionTrait, users: &[UserId]) -> Result<Vec<(i64, i64)>, DbError> {
    let carts: Vec<_> = users.iter().map(|user| (user.0, carts::of_user(*user).to_string())).collect();
    let rows = db.rows(FILLED.of(db), vec![list(&carts)?.into()]).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

const FORGET: Dialects = Dialects {
    sqlite: "DELETE FROM cart_watch WHERE user_id > $1 AND user_id <= $2 \
             AND user_id NOT IN (SELECT value ->> 0 FROM json_each($3))",
    postgres: "DELETE FROM cart_watch WHERE user_id > $1 AND user_id <= $2 \
               AND user_id NOT IN (SELECT (e ->> 0)::bigint FROM jsonb_array_elements($3::jsonb) e)",
};

const SEEN: Dialects = Dialects {
    sqlite: "INSERT INTO cart_watch (user_id, version, seen_at) SELECT value ->> 0, value ->> 1, $2 \
             FROM json_each($1) WHERE TRUE ON CONFLICT (user_id) DO UPDATE \
             SET version = excluded.version, seen_at = excluded.seen_at WHERE cart_watch.version <> excluded.version",
    postgres: "INSERT INTO cart_watch (user_id, version, seen_at) SELECT (e ->> 0)::bigint, (e ->> 1)::bigint, $2 \
               FROM jsonb_array_elements($1::jsonb) e ON CONFLICT (user_id) DO UPDATE \
               SET version = excluded.version, seen_at = excluded.seen_at WHERE cart_watch.version <> excluded.version",
};

const DUE: &str = "UPDATE cart_watch SET reminded = version WHERE user_id > $1 AND user_id <= $2 AND seen_at <= $3 \
                   AND (reminded IS NULL OR reminded <> version) RETURNING user_id, version";

async fn note(
    tx: &Tx,
    from: i64,
    to: i64,
    carts: &[(i64, i64)],
    now: Timestamp,
    since: Timestamp,
) -> Result<usize, ReminderError> {
    let carts = list(&carts)?;
    tx.exec(FORGET.of(tx), vec![from.into(), to.into(), carts.as_str().into()]).await?;
    tx.exec(SEEN.of(tx), vec![carts.into(), now.0.into()]).await?;
    let rows = tx.rows(DUE, vec![from.into(), to.into(), since.0.into()]).await?;
    let job = |row: &QueryResult| -> Result<NewJob, DbError> {
        let reminder = Reminder { user: UserId(row.try_get_by_index(0)?), version: row.try_get_by_index(1)? };
        Ok(NewJob::new(REMIND_WORKER, json!(reminder))
            .queue(MAIL_QUEUE)
            .priority(PRIORITY)
            .max_attempts(ATTEMPTS)
            .unique(format!("remind:{}:{}", reminder.user, reminder.version)))
    };
    let jobs = rows.iter().map(job).collect::<Result<Vec<_>, _>>()?;
    jobs::enqueue_many(tx, &jobs).await?;
    Ok(jobs.len())
}
