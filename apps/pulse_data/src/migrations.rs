//! The schema's history, and the runner that moves a database along it.
//!
//! **Invariant.** Each migration and the record that it ran commit in one transaction, on both databases, and two
//! instances that start at once do not run one twice (SQLite's single writer, a lock on PostgreSQL). A database
//! that is newer than this program is refused and left alone.

mod m0001_catalog;
mod m0002_carts;
mod m0003_orders;
mod m0004_accounts;
mod m0005_audit;
mod m0006_jobs;
mod m0007_imports;
mod m0008_order_status;
mod m0009_return_requests;
mod m0010_job_queues;
mod m0011_webhooks;
mod m0012_feeds;
mod m0013_import_letters;
mod m0014_cart_sightings;

use std::time::Duration;

use futures::FutureExt as _;

use crate::sql::Sql as _;
use crate::{Backend, DbError, Repo, Tx};

/// One step of the schema's history: plain SQL for each database, every constraint named
/// (`pk_`, `uq_`, `fk_`, `ck_`, `ix_`, then table and columns).
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its name, which sorts by age and never changes.
    pub name: &'static str,
    /// What it does: one or more statements.
    pub up: fn(Backend) -> String,
    /// What takes it back.
    pub down: fn(Backend) -> String,
}

/// Every migration, oldest first.
pub const ALL: &[Migration] = &[
    m0001_catalog::MIGRATION,
    m0002_carts::MIGRATION,
    m0003_orders::MIGRATION,
    m0004_accounts::MIGRATION,
    m0005_audit::MIGRATION,
    m0006_jobs::MIGRATION,
    m0007_imports::MIGRATION,
    m0008_order_status::MIGRATION,
    m0009_return_requests::MIGRATION,
    m0010_job_queues::MIGRATION,
    m0011_webhooks::MIGRATION,
    m0012_feeds::MIGRATION,
    m0013_import_letters::MIGRATION,
    m0014_cart_sightings::MIGRATION,
];

/// Where one migration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which migration.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// Why the schema was not moved.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MigrateError {
    /// A migration failed; it and the ones after it were not applied.
    #[error("migration {name} failed and was taken back: {source}")]
    Failed {
        /// Which one.
        name: &'static str,
        /// What the database said.
        source: DbError,
    },
    /// The database has migrations that this program does not know.
    #[error(
        "the database is newer than this program (it has {0}): run the newer program, or restore a backup"
    )]
    Newer(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Moves a database along the schema's history.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

impl Migrator {
    /// Applies what is missing, oldest first; `steps` bounds how many. Answers the names of those applied.
    pub async fn up(repo: &Repo, steps: Option<usize>) -> Result<Vec<&'static str>, MigrateError> {
        move_by(repo, Direction::Up, steps.unwrap_or(usize::MAX)).await
    }

    /// Takes back the newest `steps` migrations (all for `None`), newest first. Their data is lost.
    pub async fn down(repo: &Repo, steps: Option<usize>) -> Result<Vec<&'static str>, MigrateError> {
        move_by(repo, Direction::Down, steps.unwrap_or(usize::MAX)).await
    }

    /// Where each migration stands. Changes nothing, so it works on a database that was never migrated.
    pub async fn status(repo: &Repo) -> Result<Vec<Status>, MigrateError> {
        let exists = match repo.backend() {
            Backend::Sqlite => "SELECT 1 AS one FROM sqlite_schema WHERE name = 'schema_migrations'",
            Backend::Postgres => "SELECT 1 AS one WHERE to_regclass('schema_migrations') IS NOT NULL",
        };
        let applied = match repo.reader().row(exists, vec![]).await? {
            None => Vec::new(),
            Some(_) => applied(repo.reader()).await?,
        };
        refuse_newer(&applied)?;
        let status =
            |m: &Migration| Status { name: m.name.to_owned(), applied: applied.iter().any(|a| a == m.name) };
        Ok(ALL.iter().map(status).collect())
    }
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Up,
    Down,
}

/// Longer than any statement of a request may take: a migration may rewrite a large table.
const LIMIT: Duration = Duration::from_hours(1);

async fn move_by(repo: &Repo, direction: Direction, steps: usize) -> Result<Vec<&'static str>, MigrateError> {
    let mut moved = Vec::new();
    while moved.len() < steps {
        let step =
            repo.write_within(LIMIT, direction, |tx, direction| one_step(tx, *direction).boxed()).await?;
        match step {
            Some(name) => moved.push(name),
            None => break,
        }
    }
    Ok(moved)
}

/// Moves by one migration in the caller's transaction; `None` where there is nothing left to do.
async fn one_step(tx: &Tx, direction: Direction) -> Result<Option<&'static str>, MigrateError> {
    let backend = tx.backend();
    if backend == Backend::Postgres {
        // Any number will do; it only has to be the same in each instance.
        tx.exec("SELECT pg_advisory_xact_lock(7085711950214)", vec![]).await?;
    }
    tx.script(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
            name TEXT NOT NULL CONSTRAINT pk_schema_migrations PRIMARY KEY,
            applied_at BIGINT NOT NULL
        )",
    )
    .await?;
    let applied = applied(tx).await?;
    refuse_newer(&applied)?;
    let is_applied = |m: &&Migration| applied.iter().any(|name| name == m.name);
    let next = match direction {
        Direction::Up => ALL.iter().find(|m| !is_applied(m)),
        Direction::Down => ALL.iter().rev().find(is_applied),
    };
    let Some(migration) = next else { return Ok(None) };
    let failed = |source| MigrateError::Failed { name: migration.name, source };
    let (script, record) = match direction {
        Direction::Up => {
            let now = match backend {
                Backend::Sqlite => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
                Backend::Postgres => "(extract(epoch FROM now()) * 1000)::bigint",
            };
            (
                (migration.up)(backend),
                format!("INSERT INTO schema_migrations (name, applied_at) VALUES ($1, {now})"),
            )
        }
        Direction::Down => {
            ((migration.down)(backend), "DELETE FROM schema_migrations WHERE name = $1".to_owned())
        }
    };
    if !script.trim().is_empty() {
        tx.script(&script).await.map_err(failed)?;
    }
    tx.exec(&record, vec![migration.name.into()]).await.map_err(failed)?;
    Ok(Some(migration.name))
}

async fn applied(db: &impl sea_orm::ConnectionTrait) -> Result<Vec<String>, DbError> {
    let rows = db.rows("SELECT name FROM schema_migrations ORDER BY name", vec![]).await?;
    rows.iter().map(|row| row.try_get("", "name").map_err(DbError::from)).collect()
}

fn refuse_newer(applied: &[String]) -> Result<(), MigrateError> {
    match applied.iter().find(|name| ALL.iter().all(|m| m.name != name.as_str())) {
        Some(unknown) => Err(MigrateError::Newer(unknown.clone())),
        None => Ok(()),
    }
}
