//! `pulse restore`: puts a copy in the place of the database.
//!
//! **Invariant.** The copy is checked first; what stood there before goes only with `--yes`, and only when nobody has
//! it open; the change of files is one rename, so a crash leaves the old database or the new one.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::{output, shop};

use super::backup::{beside, check, tool};

pub(super) async fn run(config: &Config, file: &Path, yes: bool) -> Result<(), Failure> {
    if !file.is_file() {
        return Err(Failure::failed(format!(
            "there is no file {}: name one that `pulse backup` wrote",
            file.display()
        )));
    }
    let url = config.database_url();
    match shop::sqlite_file(&url) {
        Some(database) => sqlite(file, database, yes).await?,
        None => postgres(&url, file, yes).await?,
    }
    output::line(format!("restored {}", file.display()))
}

async fn sqlite(file: &Path, database: &Path, yes: bool) -> Result<(), Failure> {
    if database.exists() {
        if !yes {
            let message =
                format!("{} is there: add --yes to replace it; what it holds is lost", database.display());
            return Err(Failure::failed(message));
        }
    } else if let Some(folder) = database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| Failure::io("make", folder, &error))?;
    }
    let incoming = beside(database, "incoming");
    let put = put(file, &incoming, database).await;
    if put.is_err() {
        let _ = std::fs::remove_file(&incoming);
    }
    put
}

async fn put(file: &Path, incoming: &Path, database: &Path) -> Result<(), Failure> {
    std::fs::copy(file, incoming).map_err(|error| Failure::io("write", incoming, &error))?;
    check(incoming).await?;
    std::fs::File::open(incoming)
        .and_then(|copy| copy.sync_all())
        .map_err(|error| Failure::io("write", incoming, &error))?;
    if database.exists() {
        alone(database).await?;
    }
    // A log of the old file must never be played into the new one.
    for suffix in ["-wal", "-shm"] {
        let mut name = database.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(database.with_file_name(name));
    }
    std::fs::rename(incoming, database).map_err(|error| Failure::io("replace", database, &error))
}

/// Makes sure that no other program has the database open: SQLite leaves WAL mode only for who is alone with it.
async fn alone(database: &Path) -> Result<(), Failure> {
    let options = SqliteConnectOptions::new().filename(database).busy_timeout(Duration::from_secs(1));
    let Ok(mut connection) = options.connect().await else {
        // Damaged beyond opening: that is what a restore is for.
        return Ok(());
    };
    let left = sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut connection).await;
    let _ = connection.close().await;
    let busy = left.as_ref().is_err_and(|error| {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| matches!(code & 0xff, 5 | 6))
    });
    if busy {
        let message = format!("{} is in use: stop the shop (SIGTERM) and try again", database.display());
        return Err(Failure::new(Exit::Temporary, message));
    }
    Ok(())
}

async fn postgres(url: &str, file: &Path, yes: bool) -> Result<(), Failure> {
    if !yes {
        let message = "the tables of the database are replaced by the copy's: add --yes if you mean it";
        return Err(Failure::failed(message));
    }
    let arguments =
        ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error", "--dbname"];
    tool("pg_restore", |command| {
        command.args(arguments).arg(url).arg(file);
    })
    .await
}
