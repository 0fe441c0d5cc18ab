//! Opens the database for a command.
//!
//! **Invariant.** The data folder is made where it is missing; every failure says which database and what to do.

use std::path::Path;

use pulse_core::Principal;
use pulse_data::migrations::Migrator;
use pulse_data::{Backend, DbError, Repo, RepoError, RepoOptions};

use crate::config::{Config, Synchronous};
use crate::failure::{Exit, Failure};

/// Whoever runs commands on this machine is trusted with everything; the audit names it so.
pub(crate) const OPERATOR: Principal = Principal::System("operator");

/// The file of an SQLite URL.
pub(crate) fn sqlite_file(url: &str) -> Option<&Path> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    Some(Path::new(rest.split('?').next().unwrap_or_default()))
}

/// Opens the configured database as it stands.
pub(crate) async fn open(config: &Config) -> Result<Repo, Failure> {
    let url = config.database_url();
    if let Some(folder) =
        sqlite_file(&url).and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty())
        && config.database.url.is_none()
    {
        // Only the default's folder is made: a slip in a configured path should be told, not followed.
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::io("make the data folder", folder, &error))?;
    }
    let options = RepoOptions {
        connections: config.database.connections,
        synchronous: match config.database.synchronous {
            Synchronous::Full => pulse_data::Synchronous::Full,
            Synchronous::Normal => pulse_data::Synchronous::Normal,
        },
        ..RepoOptions::default()
    };
    Repo::connect(&url, options).await.map_err(|error| open_failure(&error))
}

/// Opens it and makes sure that the schema is this program's: SQLite is migrated, PostgreSQL if `migrate` says so.
pub(crate) async fn open_migrated(config: &Config, migrate: bool) -> Result<Repo, Failure> {
    let repo = open(config).await?;
    match bring_up(&repo, migrate).await {
        Ok(()) => Ok(repo),
        Err(failure) => {
            repo.close().await;
            Err(failure)
        }
    }
}

async fn bring_up(repo: &Repo, migrate: bool) -> Result<(), Failure> {
    let failed = crate::commands::migrate_failure;
    let missing =
        Migrator::status(repo).await.map_err(failed)?.iter().filter(|status| !status.applied).count();
    if missing == 0 {
        return Ok(());
    }
    if repo.backend() == Backend::Postgres && !migrate {
        let message = format!(
            "the database lacks {missing} migration(s): run `pulse migrate up`, or `pulse serve --migrate`"
        );
        return Err(Failure::failed(message));
    }
    let applied = Migrator::up(repo, None).await.map_err(failed)?;
    tracing::info!(applied = applied.len(), "schema migrated");
    Ok(())
}

fn open_failure(error: &RepoError) -> Failure {
    let exit = match error {
        RepoError::Url { .. } => Exit::Config,
        RepoError::Unreachable { .. } => Exit::Unavailable,
        RepoError::ReadOnly { .. } => Exit::CantCreate,
        RepoError::Refused { .. } => Exit::Failure,
    };
    Failure::new(exit, error.to_string())
}

/// What a database's error ends a command with.
pub(crate) fn db_failure(error: &DbError) -> Failure {
    let text = error.to_string();
    let exit = if text.contains("disk is full") || text.contains("disk I/O error") {
        Exit::CantCreate
    } else {
        match error {
            DbError::Unavailable(_) => Exit::Unavailable,
            DbError::Overloaded | DbError::Conflict(_) => Exit::Temporary,
            _ => Exit::Failure,
        }
    };
    Failure::new(exit, text)
}
