//! Opens databases, and says in one line what is wrong where that fails.
//!
//! **Invariant.** Every connection is set up here, so every one has the same guards; a password is never shown.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Executor as _, SqliteConnection};

use super::group::Connect;
use super::{RepoOptions, Synchronous};
use crate::{DbError, RepoError};

/// What a URL names.
#[derive(Debug)]
pub(super) enum Target {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

/// SQLite, opened: the one writer, the readers, and how to open another writer.
pub(super) struct OpenedSqlite {
    pub(super) writer: SqliteConnection,
    pub(super) readers: SqlitePool,
    pub(super) connect: Connect,
}

pub(super) fn parse(url: &str) -> Result<Target, RepoError> {
    let wrong = |why: &str| RepoError::Url { url: without_password(url), why: why.to_owned() };
    match url.split_once(':') {
        Some(("sqlite", rest)) => {
            if rest.contains(":memory:") || rest.contains("mode=memory") {
                return Err(wrong("a database in memory can't be shared by writer and readers"));
            }
            if rest.trim_start_matches('/').split('?').next().unwrap_or_default().is_empty() {
                return Err(wrong("it names no file"));
            }
            SqliteConnectOptions::from_str(url).map(Target::Sqlite).map_err(|error| wrong(&error.to_string()))
        }
        Some(("postgres" | "postgresql", _)) => {
            PgConnectOptions::from_str(url).map(Target::Postgres).map_err(|error| wrong(&error.to_string()))
        }
        Some((scheme, _)) => Err(wrong(&format!("{scheme:?} is no database that this program knows"))),
        None => Err(wrong("it is no URL")),
    }
}

/// The URL with `***` for its password.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{host}")
        }
        None => url.to_owned(),
    }
}

pub(super) async fn sqlite(
    file: SqliteConnectOptions,
    options: &RepoOptions,
) -> Result<OpenedSqlite, RepoError> {
    let path: PathBuf = file.get_filename().to_owned();
    let failed = |error: sqlx::Error| sqlite_error(&path, &error);
    let synchronous = match options.synchronous {
        Synchronous::Full => SqliteSynchronous::Full,
        Synchronous::Normal => SqliteSynchronous::Normal,
    };
    let common = file
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(256)
        // Sorting and savepoints stay in memory: no temporary files beside the database.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging();
    let writing = common
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        // What a full group changes (512 carts lie on as many pages) stays in memory until its commit.
        .pragma("cache_size", "-16384")
        // 16 MiB of log: a page that is changed again and again is copied into the file once for many commits.
        .pragma("wal_autocheckpoint", "4000")
        .thread_name(|_| "sqlite-writer".to_owned());
    let mut writer = writing.connect().await.map_err(failed)?;
    // A folder or a file that can't be written shows here, and not at the first order.
    // (BEGIN IMMEDIATE alone is let through on a database that can only be read.)
    writer.execute("BEGIN IMMEDIATE").await.map_err(failed)?;
    writer.execute("PRAGMA user_version = 1").await.map_err(failed)?;
    writer.execute("ROLLBACK").await.map_err(failed)?;
    let reading = common.pragma("query_only", "1").thread_name(|n| format!("sqlite-reader-{n}"));
    let readers = SqlitePoolOptions::new()
        .max_connections(options.connections.max(1))
        .acquire_timeout(options.acquire)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(reading);
    let connect: Connect = Box::new(move || {
        let writing = writing.clone();
        Box::pin(async move { writing.connect().await })
    });
    Ok(OpenedSqlite { writer, readers, connect })
}

fn sqlite_error(path: &Path, error: &sqlx::Error) -> RepoError {
    let what = path.display().to_string();
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .and_then(|code| code.parse::<i32>().ok());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let kind = code.unwrap_or_default() & 0xff;
    // "Unable to open" is all that SQLite says where it can't make its log beside the file.
    if matches!(kind, 8 | 10 | 14)
        && let Some(why) = unwritable(path, folder)
    {
        return RepoError::ReadOnly { what, why: why.to_owned() };
    }
    let why = match kind {
        8 => {
            let why = "make the file and its folder writable for this user".to_owned();
            return RepoError::ReadOnly { what, why };
        }
        13 => return RepoError::ReadOnly { what, why: "the disk is full: free some space".to_owned() },
        5 | 6 => "another program holds the file: stop it".to_owned(),
        26 => {
            return RepoError::Refused {
                what,
                why: "the file is no SQLite database: name another".to_owned(),
            };
        }
        11 => return RepoError::Refused { what, why: "the file is damaged: restore a backup".to_owned() },
        14 if !folder.is_dir() => format!("there is no folder {}: make it", folder.display()),
        14 => "the file can't be opened: look at its permissions and its folder's".to_owned(),
        10 => format!("reading or writing it failed: look at the disk ({error})"),
        _ => error.to_string(),
    };
    RepoError::Unreachable { what, why }
}

/// Why the file or its folder can't be written, where the system says so, and what to do.
fn unwritable(path: &Path, folder: &Path) -> Option<&'static str> {
    use rustix::fs::{Access, access};
    use rustix::io::Errno;
    [folder, path].into_iter().find_map(|place| match access(place, Access::WRITE_OK) {
        Err(Errno::ROFS) => Some("its disk is read-only: mount it for writing, or name a file on another"),
        Err(Errno::ACCESS | Errno::PERM) => Some("make the file and its folder writable for this user"),
        _ => None,
    })
}

/// PostgreSQL, opened: the readers, and how to open a writer.
pub(super) struct OpenedPostgres {
    pub(super) readers: PgPool,
    pub(super) server: PgConnectOptions,
}

pub(super) async fn postgres(
    server: PgConnectOptions,
    options: &RepoOptions,
) -> Result<OpenedPostgres, RepoError> {
    let what = format!(
        "{} at {}:{}",
        server.get_database().unwrap_or_else(|| server.get_username()),
        server.get_host(),
        server.get_port()
    );
    let limit = options.limit.as_millis().to_string();
    let server = server
        .application_name("pulse")
        .options([
            ("statement_timeout", limit.as_str()),
            ("idle_in_transaction_session_timeout", limit.as_str()),
            ("lock_timeout", "10000"),
        ])
        .disable_statement_logging();
    // Told at once what is wrong, where the pool would try until its time is over.
    let Ok(connected) = tokio::time::timeout(options.acquire, server.connect()).await else {
        let why = format!("no answer within {:?}: is the server running?", options.acquire);
        return Err(RepoError::Unreachable { what, why });
    };
    let mut first = connected.map_err(|error| postgres_error(&what, &error))?;
    let read_only = sqlx::query_scalar::<_, String>("SHOW transaction_read_only").fetch_one(&mut first).await;
    if read_only.is_ok_and(|on| on == "on") {
        let why = "the server is a standby or set to read only: connect to the primary".to_owned();
        return Err(RepoError::ReadOnly { what, why });
    }
    let _ = sqlx::Connection::close(first).await;
    let readers = PgPoolOptions::new()
        .max_connections(options.connections.max(1))
        .acquire_timeout(options.acquire)
        // A third faster on reads; a connection that has died shows at its next statement.
        .test_before_acquire(false)
        // A `begin` that is cancelled leaves the connection inside a transaction that sqlx does not know of.
        // BEGIN first, because a ROLLBACK outside a transaction fills the server's log with warnings.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.execute("BEGIN; ROLLBACK").await?;
                Ok(true)
            })
        })
        .connect_lazy_with(server.clone());
    Ok(OpenedPostgres { readers, server })
}

fn postgres_error(what: &str, error: &sqlx::Error) -> RepoError {
    let what = what.to_owned();
    if let Some(refused) = error.as_database_error() {
        let why = match refused.code().as_deref() {
            Some("28P01" | "28000") => format!("{}: look at user and password", refused.message()),
            Some("3D000") => format!("{}: create it, or name another", refused.message()),
            _ => refused.message().to_owned(),
        };
        return RepoError::Refused { what, why };
    }
    let why = match DbError::from_sqlx(error) {
        DbError::Unavailable(why) => format!("{why}; is the server running, and are host and port right?"),
        other => other.to_string(),
    };
    RepoError::Unreachable { what, why }
}
