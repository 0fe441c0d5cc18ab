//! The leader's row, and the ticks of cron entries.
//!
//! **Invariant.** A tick's job goes in once: (entry, tick) is unique among the jobs, and an entry's last tick only
//! grows. So two nodes that both believe that they lead cost a statement and no second job.

use sea_orm::{DbErr, Statement, Value};

use crate::enqueue::insertion;
use crate::job::JobId;
use crate::new_job::NewJob;
use crate::store::Store;

/// Becomes or stays the leader until that instant, if nobody else is.
pub(crate) async fn lead(store: &dyn Store, node: &str, now: i64, until: i64) -> Result<bool, DbErr> {
    const SQL: &str = "INSERT INTO job_leaders (name, node, lease_until) VALUES ('cron', $1, $2) \
                       ON CONFLICT (name) DO UPDATE SET node = $1, lease_until = $2 \
                       WHERE job_leaders.node = $1 OR job_leaders.lease_until < $3 RETURNING node";
    let values: [Value; 3] = [node.into(), until.into(), now.into()];
    Ok(!store.run(Statement::from_sql_and_values(store.backend(), SQL, values)).await?.is_empty())
}

/// Leads no longer, so that another need not wait for the lease to end.
pub(crate) async fn resign(store: &dyn Store, node: &str) -> Result<(), DbErr> {
    const SQL: &str = "DELETE FROM job_leaders WHERE name = 'cron' AND node = $1";
    store.run(Statement::from_sql_and_values(store.backend(), SQL, [Value::from(node)])).await.map(drop)
}

/// Makes an entry known. One that is new, or whose expression or zone has changed, begins now: what it would have
/// fired before is not owed.
pub(crate) async fn declare(
    store: &dyn Store,
    name: &str,
    expression: &str,
    zone: &str,
    now: i64,
) -> Result<(), DbErr> {
    const SQL: &str = "INSERT INTO job_crons (name, expression, zone, last_tick) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (name) DO UPDATE SET expression = $2, zone = $3, last_tick = $4 \
                       WHERE job_crons.expression <> $2 OR job_crons.zone <> $3";
    let values: [Value; 4] = [name.into(), expression.into(), zone.into(), now.into()];
    store.run(Statement::from_sql_and_values(store.backend(), SQL, values)).await.map(drop)
}

/// The last tick of each entry.
pub(crate) async fn last_ticks(store: &dyn Store) -> Result<Vec<(String, i64)>, DbErr> {
    let statement = Statement::from_string(store.backend(), "SELECT name, last_tick FROM job_crons");
    let rows = store.run(statement).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// What became of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fired {
    /// Its job is in.
    New(JobId),
    /// It had been fired before, or the job's own uniqueness keeps it out.
    Not,
}

/// Notes a tick of an entry, and puts its job in where there is one to put.
///
/// Two statements, the job's first: whoever dies in between leaves a job that keeps its second out.
pub(crate) async fn fire(
    store: &dyn Store,
    name: &str,
    tick: i64,
    job: Option<&NewJob>,
    now: i64,
) -> Result<Fired, DbErr> {
    const NOTE: &str = "UPDATE job_crons SET last_tick = $2 WHERE name = $1 AND last_tick < $2";
    let mut fired = Fired::Not;
    if let Some(job) = job {
        let rows = store.run(insertion(store.backend(), job, now, Some((name, tick)))).await?;
        if let Some(row) = rows.first() {
            fired = Fired::New(JobId(row.try_get_by_index(0)?));
        }
    }
    let values: [Value; 2] = [name.into(), tick.into()];
    store.run(Statement::from_sql_and_values(store.backend(), NOTE, values)).await?;
    Ok(fired)
}
