//! Looking at the jobs and mending them by hand.
//!
//! **Invariant.** Reading changes nothing and answers a bounded page. A mend is one guarded statement on the caller's
//! connection: it counts exactly if the caller's transaction commits.

mod mend;
mod page;

pub use mend::{cancel, cancel_many, retry, retry_many};
pub use page::{Filter, MAX_PAGE, Page, list};

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use crate::job::{Failure, JobId};
use crate::state::State;

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

/// A job as it lies in the table. Instants are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its number.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its worker's name.
    pub worker: String,
    /// Its arguments, as JSON text.
    pub args: String,
    /// Notes, as JSON text.
    pub meta: String,
    /// Where it stands.
    pub state: State,
    /// 0 goes first, 9 last.
    pub priority: i32,
    /// How often it was tried.
    pub attempt: i32,
    /// The last attempt that is allowed.
    pub max_attempts: i32,
    /// When it is or was due.
    pub scheduled_at: i64,
    /// When it was enqueued.
    pub inserted_at: i64,
    /// When its last attempt was taken.
    pub attempted_at: Option<i64>,
    /// When it ended.
    pub completed_at: Option<i64>,
    /// Until when it belongs to its node, while it runs.
    pub lease_until: Option<i64>,
    /// The node of its last attempt.
    pub node: Option<String>,
    /// What others that are the same share with it.
    pub unique_key: Option<String>,
    /// The cron entry and the tick that it was made for.
    pub tick: Option<(String, i64)>,
    /// What went wrong so far.
    pub errors: Vec<Failure>,
}

const COLUMNS: &str = "id, queue, worker, args, meta, state, priority, attempt, max_attempts, scheduled_at, inserted_at, \
                       attempted_at, completed_at, lease_until, node, unique_key, cron, tick, errors";

fn stored(row: &QueryResult) -> Result<Stored, DbErr> {
    let errors: String = row.try_get_by_index(18)?;
    let cron: Option<String> = row.try_get_by_index(16)?;
    let tick: Option<i64> = row.try_get_by_index(17)?;
    Ok(Stored {
        id: JobId(row.try_get_by_index(0)?),
        queue: row.try_get_by_index(1)?,
        worker: row.try_get_by_index(2)?,
        args: text(row, 3)?,
        meta: text(row, 4)?,
        state: state(&row.try_get_by_index::<String>(5)?)?,
        priority: row.try_get_by_index(6)?,
        attempt: row.try_get_by_index(7)?,
        max_attempts: row.try_get_by_index(8)?,
        scheduled_at: row.try_get_by_index(9)?,
        inserted_at: row.try_get_by_index(10)?,
        attempted_at: row.try_get_by_index(11)?,
        completed_at: row.try_get_by_index(12)?,
        lease_until: row.try_get_by_index(13)?,
        node: row.try_get_by_index(14)?,
        unique_key: row.try_get_by_index(15)?,
        tick: cron.zip(tick),
        errors: serde_json::from_str(&errors).unwrap_or_else(|error| {
            // Shown all the same: one is looking because something is wrong.
            vec![Failure { attempt: 0, at: 0, error: format!("the list of errors can't be read: {error}") }]
        }),
    })
}

/// A text, or what can be shown of bytes that somebody put in its place.
fn text(row: &QueryResult, index: usize) -> Result<String, DbErr> {
    row.try_get_by_index::<String>(index).or_else(|error| {
        let bytes: Vec<u8> = row.try_get_by_index(index).map_err(|_| error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    })
}

/// One job.
pub async fn find<C: ConnectionTrait>(conn: &C, id: JobId) -> Result<Option<Stored>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [Value::from(id.0)]);
    conn.query_one_raw(statement).await?.as_ref().map(stored).transpose()
}

/// A cron entry, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronRow {
    /// Its name.
    pub name: String,
    /// When it fires.
    pub expression: String,
    /// By the clock of this time zone.
    pub zone: String,
    /// The newest tick that was fired or let go, in milliseconds since 1970.
    pub last_tick: i64,
}

/// All cron entries that were ever declared, by name.
pub async fn crons<C: ConnectionTrait>(conn: &C) -> Result<Vec<CronRow>, DbErr> {
    const SQL: &str = "SELECT name, expression, zone, last_tick FROM job_crons ORDER BY name";
    let rows = conn.query_all_raw(Statement::from_string(conn.get_database_backend(), SQL)).await?;
    rows.iter()
        .map(|row| {
            Ok(CronRow {
                name: row.try_get_by_index(0)?,
                expression: row.try_get_by_index(1)?,
                zone: row.try_get_by_index(2)?,
                last_tick: row.try_get_by_index(3)?,
            })
        })
        .collect()
}

pub(crate) fn state(name: &str) -> Result<State, DbErr> {
    State::from_name(name).ok_or_else(|| DbErr::Type(format!("{name:?} is no state of a job")))
}
