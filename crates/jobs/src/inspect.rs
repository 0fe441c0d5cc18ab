//! Looking at the queue and mending it by hand.
//!
//! **Invariant.** A mend is one guarded statement: it never touches a job that runs.

use sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use crate::clock::system_now;
use crate::job::{Failure, JobId, State};

/// How many jobs of a queue stand where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The queue.
    pub queue: String,
    /// Where they stand.
    pub state: State,
    /// So many.
    pub jobs: i64,
}

/// Counts jobs by queue and state. O(jobs in the table).
pub async fn counts<C: ConnectionTrait>(conn: &C) -> Result<Vec<Count>, DbErr> {
    const SQL: &str = "SELECT queue, state, count(*) FROM jobs GROUP BY queue, state ORDER BY queue, state";
    let rows = conn.query_all_raw(Statement::from_string(conn.get_database_backend(), SQL)).await?;
    rows.iter()
        .map(|row| {
            Ok(Count {
                queue: row.try_get_by_index(0)?,
                state: state(&row.try_get_by_index::<String>(1)?)?,
                jobs: row.try_get_by_index(2)?,
            })
        })
        .collect()
}

/// A job as it lies in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub id: JobId,
    /// Its worker's name.
    pub worker: String,
    /// Its arguments, as JSON text.
    pub args: String,
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub attempt: i32,
    /// The last attempt that is allowed.
    pub max_attempts: i32,
    /// When it is or was due, in milliseconds since 1970.
    pub scheduled_at: i64,
    /// What went wrong so far.
    pub errors: Vec<Failure>,
}

/// One job.
pub async fn find<C: ConnectionTrait>(conn: &C, id: JobId) -> Result<Option<Stored>, DbErr> {
    const SQL: &str =
        "SELECT worker, args, state, attempt, max_attempts, scheduled_at, errors FROM jobs WHERE id = $1";
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), SQL, [Value::from(id.0)]);
    let Some(row) = conn.query_one_raw(statement).await? else { return Ok(None) };
    let errors: String = row.try_get_by_index(6)?;
    Ok(Some(Stored {
        id,
        worker: row.try_get_by_index(0)?,
        args: row.try_get_by_index(1)?,
        state: state(&row.try_get_by_index::<String>(2)?)?,
        attempt: row.try_get_by_index(3)?,
        max_attempts: row.try_get_by_index(4)?,
        scheduled_at: row.try_get_by_index(5)?,
        errors: serde_json::from_str(&errors).map_err(|error| DbErr::Json(error.to_string()))?,
    }))
}

/// Makes a job that waits or ended badly available now, with one more attempt if it has none left. `false` where
/// it is not there, runs, or is completed.
pub async fn retry<C: ConnectionTrait>(conn: &C, id: JobId) -> Result<bool, DbErr> {
    const SQL: &str = "UPDATE jobs SET state = 'available', scheduled_at = $2, completed_at = NULL, \
                       max_attempts = CASE WHEN attempt >= max_attempts THEN attempt + 1 ELSE max_attempts END \
                       WHERE id = $1 AND state IN ('scheduled', 'retryable', 'discarded', 'cancelled')";
    guarded(conn, SQL, id).await
}

/// Cancels a job that has not begun. `false` where it is not there, runs, or has ended.
pub async fn cancel<C: ConnectionTrait>(conn: &C, id: JobId) -> Result<bool, DbErr> {
    const SQL: &str = "UPDATE jobs SET state = 'cancelled', completed_at = $2 \
                       WHERE id = $1 AND state IN ('scheduled', 'available', 'retryable')";
    guarded(conn, SQL, id).await
}

async fn guarded<C: ConnectionTrait>(conn: &C, sql: &str, id: JobId) -> Result<bool, DbErr> {
    let values = [Value::from(id.0), Value::from(system_now())];
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, values);
    Ok(conn.execute_raw(statement).await?.rows_affected() == 1)
}

fn state(name: &str) -> Result<State, DbErr> {
    State::from_name(name).ok_or_else(|| DbErr::Type(format!("{name:?} is no state of a job")))
}
