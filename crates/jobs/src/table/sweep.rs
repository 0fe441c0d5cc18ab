//! Housekeeping: what is due becomes available, what is old goes.
//!
//! **Invariant.** A sweep touches [`SWEEP`] rows at most, so that no job waits behind it for long.

use sea_orm::{DbErr, Statement, Value};

use super::picked;
use crate::store::Store;

/// How many rows one statement of housekeeping touches at most.
pub(crate) const SWEEP: i64 = 1_000;

/// Makes jobs available whose time has come. Answers how many.
pub(crate) async fn stage(store: &dyn Store, now: i64) -> Result<usize, DbErr> {
    let picked = picked(
        store.backend(),
        "SELECT id FROM jobs WHERE state IN ('scheduled', 'retryable') AND scheduled_at <= $1 \
         ORDER BY scheduled_at LIMIT $2",
    );
    let sql = format!("UPDATE jobs SET state = 'available' WHERE id IN ({picked}) RETURNING id");
    let values: [Value; 2] = [now.into(), SWEEP.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

/// Deletes jobs that ended before `before`. Answers how many.
pub(crate) async fn prune(store: &dyn Store, before: i64) -> Result<usize, DbErr> {
    let picked = picked(
        store.backend(),
        "SELECT id FROM jobs WHERE state IN ('completed', 'discarded', 'cancelled') AND completed_at < $1 \
         ORDER BY completed_at LIMIT $2",
    );
    let sql = format!("DELETE FROM jobs WHERE id IN ({picked}) RETURNING id");
    let values: [Value; 2] = [before.into(), SWEEP.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}
