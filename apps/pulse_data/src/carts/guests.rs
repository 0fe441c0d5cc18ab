//! Guests' carts that were left alone are deleted: each visitor who puts something into a cart leaves a row, and none
//! comes back to it once the browser has dropped the cookie that names it.
//!
//! A cart's row says nothing of time (its writes are too many for that), nor whose it is. So a sweep keeps beside it when it
//! first saw each version, and which carts are those of accounts, whose ids follow from theirs.
//!
//! **Invariant.** A row goes only under the version that an earlier sweep has seen, and never before that version was left
//! alone for the whole time; an account's cart never goes. A row that was changed meanwhile stays. A page of a sweep is
//! one transaction, and memory holds no more than one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use pulse_core::access::Forbidden;
use pulse_core::ports::Clock;
use pulse_core::{Permission, Principal, Timestamp, UserId};
use sea_orm::QueryResult;

use super::of_user;
use crate::catalog::sql::Dialects;
use crate::catalog::stock::json as list;
use crate::{DbError, Repo, Sql as _, Tx};

/// Carts, or accounts, of one page.
const PAGE: usize = 500;

/// Why guests' carts were not looked at. What earlier pages have done stays done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SweepError {
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sea_orm::DbErr> for SweepError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Db(error.into())
    }
}

/// The carts of guests, as the shop looks after them. Cheap to clone.
#[derive(Clone)]
pub struct GuestCarts {
    repo: Repo,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for GuestCarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuestCarts")
    }
}

impl GuestCarts {
    /// The guests' carts of a database.
    pub fn new(repo: Repo, clock: Arc<dyn Clock>) -> Self {
        Self { repo, clock }
    }

    /// Begins a sweep over all carts, which deletes guests' carts that were left alone for `keep` (a day or more: an
    /// account that is opened while a sweep runs is known to the next one). For the shop's own jobs alone.
    ///
    /// A sweep costs O(carts + accounts): a look at each cart's version, and a write a page in which something is new or
    /// due. With a sweep every `i`, a row goes after `keep`, and before `keep` and two `i` are over.
    pub async fn sweep(&self, who: &Principal, keep: Duration) -> Result<Sweep, SweepError> {
        if !matches!(who, Principal::System(_)) {
            return Err(Forbidden { permission: Permission::ManageAccounts }.into());
        }
        self.tell_accounts().await?;
        let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        Ok(Sweep { of: self.clone(), keep, from: String::new(), over: false })
    }

    /// Marks the carts of accounts among those that were seen. A cart that is due was seen by an earlier sweep, and its
    /// account is older than that: so no account's cart is due unmarked.
    async fn tell_accounts(&self) -> Result<(), SweepError> {
        let (db, mut from) = (self.repo.reader(), 0);
        loop {
            let rows = db.rows(&users(), vec![from.into()]).await?;
            let users = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<i64>, _>>()?;
            let Some(last) = users.last() else { return Ok(()) };
            let carts =
                list(&users.iter().map(|user| of_user(UserId(*user)).to_string()).collect::<Vec<_>>())?;
            if db.row(UNMARKED.of(db), vec![carts.as_str().into()]).await?.is_some() {
                let mark = self.repo.write_in_bulk(carts, |tx, carts| {
                    async move { tx.exec(MARK.of(tx), vec![carts.as_str().into()]).await }.boxed()
                });
                mark.await.map_err(|error: DbError| SweepError::from(error))?;
            }
            from = *last;
        }
    }
}

/// A sweep on its way through the carts, in the order of their ids.
#[derive(Debug)]
pub struct Sweep {
    of: GuestCarts,
    keep: i64,
    /// The last cart of the page before.
    from: String,
    over: bool,
}

/// A cart, and the version that was seen of it.
type Seen = (String, i64);

impl Sweep {
    /// Looks at the next page of carts. Answers how many rows were deleted; `None` after the last page.
    pub async fn page(&mut self) -> Result<Option<u64>, SweepError> {
        if self.over {
            return Ok(None);
        }
        let GuestCarts { repo, clock } = &self.of;
        let since = clock.now().0.saturating_sub(self.keep);
        let rows = repo.reader().rows(&carts(), vec![self.from.as_str().into(), since.into()]).await?;
        self.over = rows.len() < PAGE;
        if let Some(last) = rows.last() {
            self.from = last.try_get_by_index(0)?;
        }
        // After the look: whatever version was seen was there by then.
        let now = clock.now();
        let (new, due) = (those(&rows, NEW)?, those(&rows, DUE)?);
        if new.is_empty() && due.is_empty() {
            return Ok(Some(0));
        }
        let work =
            repo.write_in_bulk((new, due, now), |tx, (new, due, now)| apply(tx, new, due, *now).boxed());
        work.await.map(Some).map_err(|error: DbError| error.into())
    }
}

fn users() -> String {
    format!("SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT {PAGE}")
}

const UNMARKED: Dialects = Dialects {
    sqlite: "SELECT 1 FROM cart_sightings WHERE NOT account AND id IN (SELECT value FROM json_each($1)) LIMIT 1",
    postgres: "SELECT 1 FROM cart_sightings WHERE NOT account \
               AND id IN (SELECT jsonb_array_elements_text($1::jsonb)) LIMIT 1",
};

const MARK: Dialects = Dialects {
    sqlite: "UPDATE cart_sightings SET account = TRUE \
             WHERE NOT account AND id IN (SELECT value FROM json_each($1))",
    postgres: "UPDATE cart_sightings SET account = TRUE \
               WHERE NOT account AND id IN (SELECT jsonb_array_elements_text($1::jsonb))",
};

/// A version that no sweep has seen.
const NEW: i32 = 1;
/// A guest's that was seen long ago.
const DUE: i32 = 2;

/// The next carts, their versions, and what is to be done with each.
fn carts() -> String {
    format!(
        "SELECT c.id, c.version, CASE WHEN s.id IS NULL THEN {NEW} WHEN s.account THEN 0 \
         WHEN s.version <> c.version THEN {NEW} WHEN s.seen_at <= $2 THEN {DUE} ELSE 0 END \
         FROM carts c LEFT JOIN cart_sightings s ON s.id = c.id WHERE c.id > $1 ORDER BY c.id LIMIT {PAGE}"
    )
}

/// Those carts of a page of which this is to be done.
fn those(rows: &[QueryResult], wanted: i32) -> Result<Vec<Seen>, DbError> {
    let mut carts = Vec::new();
    for row in rows {
        if row.try_get_by_index::<i32>(2)? == wanted {
            carts.push((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        }
    }
    Ok(carts)
}

const NOTE: Dialects = Dialects {
    sqlite: "INSERT INTO cart_sightings (id, version, seen_at, account) \
             SELECT value ->> 0, value ->> 1, $2, FALSE FROM json_each($1) WHERE TRUE \
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, seen_at = excluded.seen_at",
    postgres: "INSERT INTO cart_sightings (id, version, seen_at, account) \
               SELECT e ->> 0, (e ->> 1)::bigint, $2, FALSE FROM jsonb_array_elements($1::jsonb) e \
               ON CONFLICT (id) DO UPDATE SET version = excluded.version, seen_at = excluded.seen_at",
};

// A row that is being written now is passed over: it will have another version, and nobody waits for anybody.
const DELETE: Dialects = Dialects {
    sqlite: "DELETE FROM carts WHERE rowid IN (SELECT c.rowid FROM json_each($1) e \
             CROSS JOIN carts c ON c.id = e.value ->> 0 AND c.version = e.value ->> 1)",
    postgres: "WITH due AS (SELECT c.id FROM carts c JOIN jsonb_array_elements($1::jsonb) e \
               ON c.id = e ->> 0 AND c.version = (e ->> 1)::bigint FOR UPDATE OF c SKIP LOCKED) \
               DELETE FROM carts USING due WHERE carts.id = due.id",
};

const FORGET: Dialects = Dialects {
    sqlite: "DELETE FROM cart_sightings WHERE id IN (SELECT value ->> 0 FROM json_each($1)) \
             AND NOT EXISTS (SELECT 1 FROM carts WHERE carts.id = cart_sightings.id)",
    postgres: "DELETE FROM cart_sightings WHERE id IN (SELECT e ->> 0 FROM jsonb_array_elements($1::jsonb) e) \
               AND NOT EXISTS (SELECT 1 FROM carts WHERE carts.id = cart_sightings.id)",
};

/// Deletes what is due under the version that was seen, and notes what is new.
async fn apply(tx: &Tx, new: &[Seen], due: &[Seen], now: Timestamp) -> Result<u64, DbError> {
    let mut gone = 0;
    if !due.is_empty() {
        let due = list(&due)?;
        gone = tx.exec(DELETE.of(tx), vec![due.as_str().into()]).await?;
        tx.exec(FORGET.of(tx), vec![due.into()]).await?;
    }
    if !new.is_empty() {
        tx.exec(NOTE.of(tx), vec![list(&new)?.into(), now.0.into()]).await?;
    }
    Ok(gone)
}
