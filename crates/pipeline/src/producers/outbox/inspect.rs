//! What waits and what is dead, for people and bounds.
//!
//! **Invariant.** Answers are bounded: a page of dead entries, a backlog counted up to a limit.

use sea_orm::{DbErr, Statement, Value};

use super::entry::Entry;
use super::store::Store;
use super::table::json;

/// An entry that will not be tried again by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEntry {
    /// The entry, with its last attempt.
    pub entry: Entry,
    /// Why it failed at last.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub ended_at: i64,
}

/// How many entries of a topic are not ended, counted up to `limit`: a front door turns away at a bound.
pub async fn backlog(store: &dyn Store, topic: &str, limit: u32) -> Result<u32, DbErr> {
    const SQL: &str = "SELECT COUNT(*) FROM \
                       (SELECT 1 FROM outbox WHERE topic = $1 AND ended_at IS NULL LIMIT $2) AS waiting";
    let values: [Value; 2] = [topic.into(), i64::from(limit).into()];
    let rows = store.run(Statement::from_sql_and_values(store.backend(), SQL, values)).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Dead entries of a topic with numbers above `above`, lowest first, at most `limit`.
pub async fn dead(store: &dyn Store, topic: &str, above: i64, limit: u32) -> Result<Vec<DeadEntry>, DbErr> {
    const SQL: &str = "SELECT id, entry_key, payload, attempt, created_at, reason, ended_at FROM outbox \
                       WHERE topic = $1 AND ended_at IS NOT NULL AND reason IS NOT NULL AND id > $2 \
                       ORDER BY id LIMIT $3";
    let values: [Value; 3] = [topic.into(), above.into(), i64::from(limit).into()];
    let rows = store.run(Statement::from_sql_and_values(store.backend(), SQL, values)).await?;
    rows.iter()
        .map(|row| {
            Ok(DeadEntry {
                entry: super::table::read(row)?,
                reason: row.try_get_by_index(5)?,
                ended_at: row.try_get_by_index(6)?,
            })
        })
        .collect()
}

/// Gives dead entries another life, with all their attempts; answers how many were dead.
pub async fn retry(store: &dyn Store, ids: &[i64]) -> Result<usize, DbErr> {
    let listed = super::table::listed(store.backend());
    let sql = format!(
        "UPDATE outbox SET ended_at = NULL, reason = NULL, attempt = 0, due_at = created_at \
         WHERE id IN ({listed}) AND ended_at IS NOT NULL AND reason IS NOT NULL RETURNING id"
    );
    let values: [Value; 1] = [json(ids)?];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

/// Deletes entries, done or dead, that ended before `before` (milliseconds since 1970), at most `limit`; answers how
/// many.
pub async fn prune(store: &dyn Store, topic: &str, before: i64, limit: u32) -> Result<usize, DbErr> {
    const SQL: &str = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE topic = $1 \
                       AND ended_at IS NOT NULL AND ended_at < $2 ORDER BY ended_at LIMIT $3) RETURNING id";
    let values: [Value; 3] = [topic.into(), before.into(), i64::from(limit).into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), SQL, values)).await?.len())
}
