//! Giving jobs another chance, or none.
//!
//! **Invariant.** A retry never touches a job that runs. A cancelled one that runs is told to stop, on whichever node it
//! is; what it still says does not count.

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use crate::clock::system_now;
use crate::job::JobId;
use crate::wake::{CONTROL, tell};

/// Makes a job that waits or ended badly available now, with one more attempt if it has none left. `false` where
/// it is not there, runs, or is completed. (Another one like it may be there by now: both then run.)
pub async fn retry<C: ConnectionTrait>(conn: &C, id: JobId) -> Result<bool, DbErr> {
    Ok(retry_many(conn, &[id]).await? == 1)
}

/// [`retry`] for many; answers how many it was.
pub async fn retry_many<C: ConnectionTrait>(conn: &C, ids: &[JobId]) -> Result<u64, DbErr> {
    const SET: &str = "state = 'available', scheduled_at = $1, completed_at = NULL, \
                       max_attempts = CASE WHEN attempt >= max_attempts THEN attempt + 1 ELSE max_attempts END";
    mend(conn, SET, "'scheduled', 'retryable', 'discarded', 'cancelled'", ids).await
}

/// Cancels a job that has not ended. One that runs is stopped at its next await: at once on PostgreSQL, on SQLite when
/// [`Wake::control`](crate::Wake::control) is called after the commit, and without that when its lease is renewed. `false` where it
/// is not there or has ended.
pub async fn cancel<C: ConnectionTrait>(conn: &C, id: JobId) -> Result<bool, DbErr> {
    Ok(cancel_many(conn, &[id]).await? == 1)
}

/// [`cancel`] for many; answers how many it was.
pub async fn cancel_many<C: ConnectionTrait>(conn: &C, ids: &[JobId]) -> Result<u64, DbErr> {
    const SET: &str = "state = 'cancelled', completed_at = $1, lease_until = NULL";
    mend(conn, SET, "'scheduled', 'available', 'executing', 'retryable'", ids).await
}

/// How many numbers go into one statement.
const CHUNK: usize = 1_000;

async fn mend<C: ConnectionTrait>(conn: &C, set: &str, from: &str, ids: &[JobId]) -> Result<u64, DbErr> {
    let now = system_now();
    let mut mended = 0;
    for ids in ids.chunks(CHUNK) {
        // Numbers, so that nothing in the text could be anything else.
        let list = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let sql = format!("UPDATE jobs SET {set} WHERE id IN ({list}) AND state IN ({from})");
        let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [Value::from(now)]);
        mended += conn.execute_raw(statement).await?.rows_affected();
    }
    if mended > 0 {
        tell(conn, CONTROL).await?;
    }
    Ok(mended)
}
