//! Pages of jobs, newest first.
//!
//! **Invariant.** A page is found by its key (the number before which it begins), so jobs that come in meanwhile neither
//! shift nor double a line.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use super::{COLUMNS, Stored, stored};
use crate::job::JobId;
use crate::state::State;

/// Which jobs; everything that is named must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those that stand there.
    pub state: Option<State>,
    /// Those of this queue.
    pub queue: Option<String>,
    /// Those of this worker.
    pub worker: Option<String>,
    /// Those with this text in their arguments, notes or errors; capitals count. Reads the whole rows of what the rest of
    /// the filter leaves.
    pub text: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub jobs: Vec<Stored>,
    /// Where the next page begins, if there is one.
    pub next: Option<JobId>,
}

/// A page holds so many jobs at most.
pub const MAX_PAGE: u32 = 200;

/// Jobs that were enqueued before `before` (or the newest), up to `limit` of them (from 1 to [`MAX_PAGE`]).
pub async fn list<C: ConnectionTrait>(
    conn: &C,
    filter: &Filter,
    before: Option<JobId>,
    limit: u32,
) -> Result<Page, DbErr> {
    let limit = limit.clamp(1, MAX_PAGE);
    let backend = conn.get_database_backend();
    let (place, values) = place(backend, filter, before);
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE {place} ORDER BY id DESC LIMIT {}", limit + 1);
    let rows = conn.query_all_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    let mut jobs = rows.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
    let more = jobs.len() > limit as usize;
    jobs.truncate(limit as usize);
    let next = jobs.last().filter(|_| more).map(|job| job.id);
    Ok(Page { jobs, next })
}

fn place(backend: DbBackend, filter: &Filter, before: Option<JobId>) -> (String, Vec<Value>) {
    let mut terms = vec!["id < $1".to_owned()];
    let mut values: Vec<Value> = vec![before.map_or(i64::MAX, |id| id.0).into()];
    let mut put = |value: &str, term: &dyn Fn(usize) -> String| {
        values.push(value.into());
        terms.push(term(values.len()));
    };
    if let Some(queue) = &filter.queue {
        put(queue, &|n| format!("queue = ${n}"));
    }
    if let Some(worker) = &filter.worker {
        put(worker, &|n| format!("worker = ${n}"));
    }
    if let Some(text) = &filter.text {
        let find = match backend {
            DbBackend::Postgres => "strpos",
            _ => "instr",
        };
        put(text, &|n| {
            format!("({find}(args, ${n}) > 0 OR {find}(meta, ${n}) > 0 OR {find}(errors, ${n}) > 0)")
        });
    }
    if let Some(state) = filter.state {
        terms.push(format!("state = '{}'", state.name()));
        // Word for word what the index says, or SQLite does not see that it may use it.
        if matches!(state, State::Retryable | State::Discarded | State::Cancelled) {
            terms.push("state IN ('retryable', 'discarded', 'cancelled')".to_owned());
        }
    }
    (terms.join(" AND "), values)
}
