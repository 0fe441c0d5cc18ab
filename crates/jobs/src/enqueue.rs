//! Putting jobs in, inside the caller's transaction.
//!
//! **Invariant.** A job exists exactly if the caller's transaction commits. A duplicate is an answer, never an error, so
//! it can't abort a transaction. Of any number of enqueues at once that exclude each other, one goes in: on SQLite
//! there is one writer, on PostgreSQL they wait for each other at a lock on their key, until the end of the
//! transaction that has it.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

use crate::clock::system_now;
use crate::job::JobId;
use crate::new_job::{Enqueued, NewJob};
use crate::state::State;
use crate::unique::{Field, Unique};

/// Inserts one job. Wake the engine after the commit; without that, it is found at the next poll.
///
/// The error is the database's own, so that a caller's retry of serialization failures sees it. On PostgreSQL the
/// isolation level must be READ COMMITTED (the default) for [`NewJob::unique`] to see what others have just committed.
///
/// ```no_run
/// # async fn example(tx: &sea_orm::DatabaseTransaction) -> Result<(), sea_orm::DbErr> {
/// use jobs::{NewJob, enqueue};
/// enqueue(tx, &NewJob::new("mail.send", serde_json::json!({ "to": "ann@example.com" }))).await?;
/// # Ok(())
/// # }
/// ```
pub async fn enqueue<C: ConnectionTrait>(conn: &C, job: &NewJob) -> Result<Enqueued, DbErr> {
    enqueue_at(conn, job, system_now()).await
}

/// [`enqueue`] as if at that instant, in milliseconds since 1970: for whoever has a clock of their own.
pub async fn enqueue_at<C: ConnectionTrait>(conn: &C, job: &NewJob, now: i64) -> Result<Enqueued, DbErr> {
    let backend = conn.get_database_backend();
    for _ in 0..TRIES {
        if let Some(row) = conn.query_one_raw(insertion(backend, job, now, None)).await? {
            return Ok(Enqueued::New(id(&row)?));
        }
        let Some(unique) = &job.unique else { break };
        if !unique.replace.is_empty()
            && let Some(row) = conn.query_one_raw(replacement(backend, job, unique, now)).await?
        {
            return Ok(Enqueued::Replaced(id(&row)?));
        }
        if let Some(row) = conn.query_one_raw(twin(backend, job, unique, now)).await? {
            return Ok(Enqueued::Duplicate(id(&row)?));
        }
        // It has ended in between: there is room now.
    }
    Err(DbErr::RecordNotInserted)
}

/// How often the job that keeps others away may end just before it is looked at.
const TRIES: u32 = 10;

fn id(row: &QueryResult) -> Result<JobId, DbErr> {
    Ok(JobId(row.try_get_by_index(0)?))
}

const COLUMNS: &str = "queue, worker, args, state, priority, max_attempts, scheduled_at, inserted_at, unique_key, \
                       meta, cron, tick";

/// The statement that inserts one job, or nothing where another one excludes it; a cron entry's job carries its
/// entry and tick.
pub(crate) fn insertion(backend: DbBackend, job: &NewJob, now: i64, tick: Option<(&str, i64)>) -> Statement {
    let at = job.at.unwrap_or(now);
    let mut values: Vec<Value> = vec![
        job.queue.as_str().into(),
        job.worker.as_str().into(),
        job.args.to_string().into(),
        state(at, now).name().into(),
        i32::from(job.priority.min(9)).into(),
        attempts(job).into(),
        at.into(),
        now.into(),
        job.unique.as_ref().map(|unique| unique.fingerprint(job)).into(),
        job.meta.to_string().into(),
        tick.map(|(entry, _)| entry).into(),
        tick.map(|(_, tick)| tick).into(),
    ];
    let row = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12";
    let source = match &job.unique {
        None => format!("VALUES ({row})"),
        Some(unique) => {
            values.extend([unique.states().into(), unique.since(now).into()]);
            let alone = match backend {
                DbBackend::Postgres => "jobs_twin($9, $13, $14) IS NULL".to_owned(),
                _ => format!("NOT EXISTS (SELECT 1 FROM jobs WHERE {})", twins("$9", "$13", "$14")),
            };
            format!("SELECT {row} WHERE {alone}")
        }
    };
    // The conflict is a cron entry's tick that was fired already.
    let sql = format!("INSERT INTO jobs ({COLUMNS}) {source} ON CONFLICT DO NOTHING RETURNING id");
    Statement::from_sql_and_values(backend, sql, values)
}

/// Jobs of a key in some of a list of states that were inserted after an instant, on SQLite.
fn twins(key: &str, states: &str, since: &str) -> String {
    format!(
        "unique_key = {key} AND instr(',' || {states} || ',', ',' || state || ',') > 0 AND inserted_at > {since}"
    )
}

/// The newest job that excludes this one.
fn twin(backend: DbBackend, job: &NewJob, unique: &Unique, now: i64) -> Statement {
    let sql = match backend {
        DbBackend::Postgres => "SELECT id FROM jobs WHERE unique_key = $1 \
             AND state = ANY (string_to_array($2, ',')) AND inserted_at > $3 ORDER BY id DESC LIMIT 1"
            .to_owned(),
        _ => format!("SELECT id FROM jobs WHERE {} ORDER BY id DESC LIMIT 1", twins("$1", "$2", "$3")),
    };
    let values: [Value; 3] =
        [unique.fingerprint(job).into(), unique.states().into(), unique.since(now).into()];
    Statement::from_sql_and_values(backend, sql, values)
}

/// Hands the chosen fields over to the job that excludes this one, if that one waits.
fn replacement(backend: DbBackend, job: &NewJob, unique: &Unique, now: i64) -> Statement {
    let at = job.at.unwrap_or(now);
    let mut values: Vec<Value> =
        vec![unique.fingerprint(job).into(), unique.states().into(), unique.since(now).into()];
    let mut set = Vec::new();
    for field in &unique.replace {
        let n = values.len() + 1;
        let (value, text): (Value, String) = match field {
            Field::Args => (job.args.to_string().into(), format!("args = ${n}")),
            Field::Priority => (i32::from(job.priority.min(9)).into(), format!("priority = ${n}")),
            Field::Meta => (job.meta.to_string().into(), format!("meta = ${n}")),
            Field::MaxAttempts => (
                attempts(job).into(),
                format!("max_attempts = CASE WHEN attempt >= ${n} THEN attempt + 1 ELSE ${n} END"),
            ),
            Field::ScheduledAt if at > now => (
                at.into(),
                format!(
                    "scheduled_at = ${n}, state = CASE state WHEN 'available' THEN 'scheduled' ELSE state END"
                ),
            ),
            Field::ScheduledAt => (at.into(), format!("scheduled_at = ${n}, state = 'available'")),
        };
        values.push(value);
        set.push(text);
    }
    let found = match backend {
        DbBackend::Postgres => {
            "unique_key = $1 AND state = ANY (string_to_array($2, ',')) AND inserted_at > $3".to_owned()
        }
        _ => twins("$1", "$2", "$3"),
    };
    let sql = format!(
        "UPDATE jobs SET {} WHERE id = (SELECT id FROM jobs WHERE {found} ORDER BY id DESC LIMIT 1) \
         AND state IN ('scheduled', 'available', 'retryable') RETURNING id",
        set.join(", ")
    );
    Statement::from_sql_and_values(backend, sql, values)
}

/// Inserts many jobs with one statement, and one more for each that has a [`Unique::replace`]; duplicates of what is
/// there, or of an earlier one of the same call, are left out. Returns how many went in.
pub async fn enqueue_many<C: ConnectionTrait>(conn: &C, jobs: &[NewJob]) -> Result<u64, DbErr> {
    let now = system_now();
    let replaces = |job: &&NewJob| job.unique.as_ref().is_some_and(|unique| !unique.replace.is_empty());
    let mut went_in = match bulk(conn.get_database_backend(), jobs.iter().filter(|job| !replaces(job)), now) {
        Some(statement) => conn.execute_raw(statement).await?.rows_affected(),
        None => 0,
    };
    for job in jobs.iter().filter(replaces) {
        went_in += u64::from(matches!(enqueue_at(conn, job, now).await?, Enqueued::New(_)));
    }
    Ok(went_in)
}

fn bulk<'a>(backend: DbBackend, jobs: impl Iterator<Item = &'a NewJob>, now: i64) -> Option<Statement> {
    let mut keys = std::collections::HashSet::new();
    let mut rows: Vec<serde_json::Value> = Vec::new();
    for job in jobs {
        let key = job.unique.as_ref().map(|unique| unique.fingerprint(job));
        if key.as_ref().is_some_and(|key| !keys.insert(key.clone())) {
            continue;
        }
        let at = job.at.unwrap_or(now);
        let row = serde_json::json!({
            "queue": job.queue, "worker": job.worker, "args": job.args.to_string(),
            "state": state(at, now).name(), "priority": job.priority.min(9),
            "max_attempts": attempts(job), "scheduled_at": at, "unique_key": key,
            "meta": job.meta.to_string(),
            "states": job.unique.as_ref().map(Unique::states),
            "since": job.unique.as_ref().map(|unique| unique.since(now)),
        });
        rows.push(row);
    }
    if rows.is_empty() {
        return None;
    }
    let source = match backend {
        DbBackend::Postgres => {
            "SELECT queue, worker, args, state, priority, max_attempts, scheduled_at, $2, unique_key, meta, \
             NULL, NULL FROM (SELECT jobs_lock($3) AS zero) AS locked, \
             json_to_recordset($1::json) AS j(queue text, worker text, args text, state text, \
             priority int, max_attempts int, scheduled_at bigint, unique_key text, meta text, states text, \
             since bigint) WHERE unique_key IS NULL OR jobs_twin(unique_key, states, since + zero) IS NULL"
                .to_owned()
        }
        // The WHERE also keeps SQLite's parser from reading ON CONFLICT as a join's ON.
        _ => format!(
            "SELECT value->>'queue', value->>'worker', value->>'args', value->>'state', value->>'priority', \
             value->>'max_attempts', value->>'scheduled_at', $2, value->>'unique_key', value->>'meta', NULL, NULL \
             FROM json_each($1) WHERE value->>'unique_key' IS NULL OR NOT EXISTS (SELECT 1 FROM jobs WHERE {})",
            twins("value->>'unique_key'", "(value->>'states')", "value->>'since'")
        ),
    };
    let sql = format!("INSERT INTO jobs ({COLUMNS}) {source} ON CONFLICT DO NOTHING");
    let mut values: Vec<Value> = vec![serde_json::Value::Array(rows).to_string().into(), now.into()];
    if backend == DbBackend::Postgres {
        // The sum in the statement makes it take all locks, in their order, before it looks at the first key.
        values.push(serde_json::json!(keys).to_string().into());
    }
    Some(Statement::from_sql_and_values(backend, sql, values))
}

fn state(at: i64, now: i64) -> State {
    if at > now { State::Scheduled } else { State::Available }
}

fn attempts(job: &NewJob) -> i32 {
    i32::try_from(job.max_attempts.clamp(1, 1_000)).unwrap_or(1_000)
}
