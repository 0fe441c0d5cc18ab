//! How trade goes: sales a minute, and what has been sold since one last looked.
//!
//! **Invariant.** Whoever asks again with the last order it was told of counts no order twice and misses none that had
//! a lower number when it was told; a question costs what is new, never what is old.

use pulse_core::{OrderId, Timestamp};
use sea_orm::ConnectionTrait;

use crate::{DbError, Sql as _};

/// What was sold after an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sales {
    /// The newest order; ask from here the next time.
    pub last: OrderId,
    /// Orders, without those that were given up.
    pub orders: i64,
    /// What they come to, in pence.
    pub pence: i64,
}

/// Orders and their sum in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since 1970.
    pub minute: i64,
    /// Orders placed in it.
    pub orders: i64,
    /// What they come to, in pence.
    pub pence: i64,
}

/// O(orders after `after`).
pub(super) async fn after(db: &impl ConnectionTrait, after: OrderId) -> Result<Sales, DbError> {
    let sql = "SELECT COALESCE(MAX(id), $1), \
               CAST(COALESCE(SUM(CASE WHEN status <> 'cancelled' THEN 1 ELSE 0 END), 0) AS BIGINT), \
               CAST(COALESCE(SUM(CASE WHEN status <> 'cancelled' THEN total_pence ELSE 0 END), 0) AS BIGINT) \
               FROM orders WHERE id > $1";
    let nothing = Sales { last: after, orders: 0, pence: 0 };
    let Some(row) = db.row(sql, vec![after.0.into()]).await? else { return Ok(nothing) };
    Ok(Sales {
        last: OrderId(row.try_get_by_index(0)?),
        orders: row.try_get_by_index(1)?,
        pence: row.try_get_by_index(2)?,
    })
}

/// Newest orders that are looked at for the minutes behind: a busier hour is shown in part.
const NEWEST: i64 = 20_000;

/// Minutes with a sale since then, in order.
pub(super) async fn minutes(db: &impl ConnectionTrait, since: Timestamp) -> Result<Vec<Minute>, DbError> {
    let sql = "SELECT placed_at / 60000, COUNT(*), CAST(SUM(total_pence) AS BIGINT) \
               FROM (SELECT placed_at, total_pence, status FROM orders ORDER BY id DESC LIMIT $2) newest \
               WHERE placed_at >= $1 AND status <> 'cancelled' GROUP BY 1 ORDER BY 1";
    let rows = db.rows(sql, vec![since.0.into(), NEWEST.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Minute {
                minute: row.try_get_by_index(0)?,
                orders: row.try_get_by_index(1)?,
                pence: row.try_get_by_index(2)?,
            })
        })
        .collect()
}
