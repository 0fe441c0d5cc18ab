//! `pulse backup`: a copy of the database, taken while the shop runs.
//!
//! **Invariant.** The copy is one moment's state, it is checked before it gets its name, and an existing file is
//! never overwritten.

use std::path::Path;
use std::time::Duration;

use pulse_data::Backend;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::{output, shop};

pub(super) async fn run(config: &Config, file: &Path) -> Result<(), Failure> {
    if file.exists() {
        let message = format!("{} is there already: choose another name or remove it", file.display());
        return Err(Failure::new(Exit::CantCreate, message));
    }
    let url = config.database_url();
    match shop::sqlite_file(&url) {
        Some(database) => sqlite(database, file).await?,
        None => postgres(&url, file).await?,
    }
    let bytes = std::fs::metadata(file).map_or(0, |meta| meta.len());
    output::line(format!("wrote {} ({bytes} bytes)", file.display()))
}

async fn sqlite(database: &Path, file: &Path) -> Result<(), Failure> {
    if !database.is_file() {
        let message =
            format!("there is no database {} to copy: set DATABASE_URL or data_dir", database.display());
        return Err(Failure::failed(message));
    }
    let unfinished = beside(file, "unfinished");
    let _ = std::fs::remove_file(&unfinished);
    let finished = match copy(database, &unfinished).await {
        Ok(()) => check(&unfinished).await.and_then(|()| {
            std::fs::File::open(&unfinished)
                .and_then(|copy| copy.sync_all())
                .and_then(|()| std::fs::rename(&unfinished, file))
                .map_err(|error| Failure::io("write", file, &error))
        }),
        Err(failure) => Err(failure),
    };
    if finished.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    finished
}

async fn copy(database: &Path, to: &Path) -> Result<(), Failure> {
    let path = to
        .to_str()
        .ok_or_else(|| Failure::failed(format!("{} is no UTF-8 path: choose another", to.display())))?;
    let failed = |error: sqlx::Error| {
        let message =
            format!("can't write the copy {}: {error}; is there space, and may it be written?", to.display());
        Failure::new(Exit::CantCreate, message)
    };
    // A reader sees one moment; writers go on meanwhile.
    let source = SqliteConnectOptions::new().filename(database).busy_timeout(Duration::from_secs(30));
    let mut connection = source.connect().await.map_err(failed)?;
    let copied = sqlx::query("VACUUM INTO ?").bind(path).execute(&mut connection).await;
    let _ = connection.close().await;
    copied.map(|_| ()).map_err(failed)
}

/// Whether a file is a whole SQLite database with a shop in it. Leaves nothing beside it: nobody else has it open.
pub(super) async fn check(file: &Path) -> Result<(), Failure> {
    let damaged = |why: &str| Failure::failed(format!("{} is no sound copy: {why}", file.display()));
    let unreadable = |error: sqlx::Error| damaged(&error.to_string());
    let options = SqliteConnectOptions::new().filename(file).immutable(true).read_only(true);
    let mut connection = options.connect().await.map_err(unreadable)?;
    let said: Result<Vec<String>, _> =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut connection).await;
    let shop: Result<Option<i64>, _> =
        sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'")
            .fetch_optional(&mut connection)
            .await;
    let _ = connection.close().await;
    let said = said.map_err(unreadable)?;
    if said != ["ok"] {
        return Err(damaged(said.first().map_or("the check said nothing", String::as_str)));
    }
    match shop {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(damaged("it holds no shop")),
        Err(error) => Err(unreadable(error)),
    }
}

async fn postgres(url: &str, file: &Path) -> Result<(), Failure> {
    let arguments = ["--format=custom", "--no-owner", "--file"];
    tool("pg_dump", |command| {
        command.args(arguments).arg(file).arg("--dbname").arg(url);
    })
    .await
}

/// Runs one of PostgreSQL's own programs; its first line of complaint becomes the failure.
pub(super) async fn tool(
    name: &str,
    arguments: impl FnOnce(&mut tokio::process::Command),
) -> Result<(), Failure> {
    let program = super::doctor::postgres_program(name).ok_or_else(|| {
        let message = format!(
            "{name} is not installed: install PostgreSQL's client programs (Debian: postgresql-client)"
        );
        Failure::new(Exit::Unavailable, message)
    })?;
    let mut command = tokio::process::Command::new(program);
    arguments(&mut command);
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .map_err(|error| Failure::failed(format!("{name} can't be run: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::failed(format!("{name} failed: {}", said.lines().next().unwrap_or("it did not say why"))))
}

/// `name.suffix` in the same folder, so that a rename stays on one disk.
pub(super) fn beside(file: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    file.with_file_name(name)
}

/// Which database a backend is, for people.
pub(super) const fn named(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    }
}
