//! Queues as they are stored: a row each, which every node follows.
//!
//! **Invariant.** What a row says counts from its commit on: the taking statement itself asks it. Running engines hear of it
//! at once (on PostgreSQL by a NOTIFY at the commit; on SQLite call [`Wake::control`](crate::Wake::control) after it), and
//! at their next poll without that. Jobs that run are not touched; what was only taken ahead is given back.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

use crate::clock::system_now;
use crate::inspect::state;
use crate::observe::Setting;
use crate::state::State;
use crate::store::Store;
use crate::wake::{CONTROL, tell};

/// A queue, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    /// Its name.
    pub name: String,
    /// Nothing is taken from it.
    pub paused: bool,
    /// Jobs at a time on each node; `None`: what the node's program says.
    pub per_node: Option<u32>,
    /// Jobs at a time on all nodes together; `None`: no such limit.
    pub everywhere: Option<u32>,
    /// When its row was changed, in milliseconds since 1970.
    pub changed_at: i64,
    /// How many jobs stand where; states without jobs are absent.
    pub counts: Vec<(State, i64)>,
    /// Since when the job that has waited longest could have been taken, in milliseconds since 1970.
    pub oldest_available: Option<i64>,
}

/// Nothing is taken from the queue any more, on any node. What runs goes on.
pub async fn pause<C: ConnectionTrait>(conn: &C, queue: &str) -> Result<(), DbErr> {
    set(conn, queue, "paused", true.into()).await
}

/// Undoes [`pause`].
pub async fn resume<C: ConnectionTrait>(conn: &C, queue: &str) -> Result<(), DbErr> {
    set(conn, queue, "paused", false.into()).await
}

/// So many jobs of the queue at a time on each node; `None`: what each node's program says. From 1 to 100,000, by a
/// constraint of the table.
pub async fn limit_per_node<C: ConnectionTrait>(
    conn: &C,
    queue: &str,
    limit: Option<u32>,
) -> Result<(), DbErr> {
    set(conn, queue, "per_node", limit.map(i64::from).into()).await
}

/// So many jobs of the queue at a time on all nodes together; `None`: no such limit. Nodes then take the queue's jobs one
/// node after the other, and none ahead, so it is for dozens of jobs a second and not for thousands.
pub async fn limit_everywhere<C: ConnectionTrait>(
    conn: &C,
    queue: &str,
    limit: Option<u32>,
) -> Result<(), DbErr> {
    set(conn, queue, "everywhere", limit.map(i64::from).into()).await
}

async fn set<C: ConnectionTrait>(conn: &C, queue: &str, column: &str, value: Value) -> Result<(), DbErr> {
    let backend = conn.get_database_backend();
    let cast = match (backend, column) {
        (DbBackend::Postgres, "per_node" | "everywhere") => "CAST($2 AS integer)",
        _ => "$2",
    };
    let sql = format!(
        "INSERT INTO job_queues (name, {column}, changed_at) VALUES ($1, {cast}, $3) \
         ON CONFLICT (name) DO UPDATE SET {column} = {cast}, changed_at = $3"
    );
    let values: [Value; 3] = [queue.into(), value, system_now().into()];
    conn.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    tell(conn, CONTROL).await
}

/// All queues that have a row (each that was ever served has one) or jobs, with counts. O(jobs in the table).
pub async fn list<C: ConnectionTrait>(conn: &C) -> Result<Vec<QueueRow>, DbErr> {
    const ROWS: &str = "SELECT name, paused, per_node, everywhere, changed_at FROM job_queues \
        UNION ALL SELECT DISTINCT queue, FALSE, CAST(NULL AS integer), CAST(NULL AS integer), CAST(0 AS bigint) \
        FROM jobs WHERE queue NOT IN (SELECT name FROM job_queues) ORDER BY 1";
    const COUNTS: &str = "SELECT queue, state, count(*), min(scheduled_at) FROM jobs GROUP BY queue, state";
    let backend = conn.get_database_backend();
    let counts = conn.query_all_raw(Statement::from_string(backend, COUNTS)).await?;
    let counts: Vec<(String, State, i64, i64)> = counts
        .iter()
        .map(|row| {
            let name: String = row.try_get_by_index(1)?;
            Ok((row.try_get_by_index(0)?, state(&name)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?))
        })
        .collect::<Result<_, DbErr>>()?;
    let rows = conn.query_all_raw(Statement::from_string(backend, ROWS)).await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get_by_index(0)?;
            let setting = setting(row)?;
            let mut mine: Vec<_> = counts.iter().filter(|(queue, ..)| *queue == name).collect();
            mine.sort_unstable_by_key(|(_, state, ..)| *state);
            let available = mine.iter().find(|(_, state, ..)| *state == State::Available);
            Ok(QueueRow {
                paused: setting.paused,
                per_node: setting.per_node,
                everywhere: setting.everywhere,
                changed_at: row.try_get_by_index(4)?,
                oldest_available: available.map(|(.., due)| *due),
                counts: mine.iter().map(|(_, state, jobs, _)| (*state, *jobs)).collect(),
                name,
            })
        })
        .collect()
}

fn setting(row: &QueryResult) -> Result<Setting, DbErr> {
    let limit = |index: usize| -> Result<Option<u32>, DbErr> {
        let limit: Option<i32> = row.try_get_by_index(index)?;
        Ok(limit.and_then(|limit| u32::try_from(limit).ok()))
    };
    Ok(Setting { paused: row.try_get_by_index(1)?, per_node: limit(2)?, everywhere: limit(3)? })
}

/// Gives each served queue a row, so that people find it.
pub(crate) async fn declare(
    store: &dyn Store,
    names: impl Iterator<Item = &String>,
    now: i64,
) -> Result<(), DbErr> {
    const SQL: &str =
        "INSERT INTO job_queues (name, changed_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    for name in names {
        let values: [Value; 2] = [name.as_str().into(), now.into()];
        store.run(Statement::from_sql_and_values(store.backend(), SQL, values)).await?;
    }
    Ok(())
}

pub(crate) async fn settings(store: &dyn Store) -> Result<Vec<(String, Setting)>, DbErr> {
    const SQL: &str = "SELECT name, paused, per_node, everywhere FROM job_queues";
    let rows = store.run(Statement::from_string(store.backend(), SQL)).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, setting(row)?))).collect()
}
