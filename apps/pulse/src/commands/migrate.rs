//! `pulse migrate`: moves the schema.
//!
//! **Invariant.** Nothing is dropped without `--yes`.

use pulse_data::migrations::{MigrateError, Migrator};

use crate::cli::Migrate;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::{output, shop};

pub(super) async fn run(config: &Config, action: Migrate) -> Result<(), Failure> {
    if let Migrate::Down { steps, yes: false } = action {
        let message = format!(
            "taking back {steps} migration(s) drops what their tables hold: add --yes if you mean it"
        );
        return Err(Failure::failed(message));
    }
    let repo = shop::open(config).await?;
    let result = act(&repo, action).await;
    repo.close().await;
    result
}

async fn act(repo: &pulse_data::Repo, action: Migrate) -> Result<(), Failure> {
    match action {
        Migrate::Up { steps } => tell("applied", "nothing to apply", Migrator::up(repo, steps).await),
        Migrate::Down { steps, .. } => {
            tell("taken back", "nothing to take back", Migrator::down(repo, Some(steps)).await)
        }
        Migrate::Status => {
            for status in Migrator::status(repo).await.map_err(failure)? {
                output::line(format!(
                    "{:<8} {}",
                    if status.applied { "applied" } else { "missing" },
                    status.name
                ))?;
            }
            Ok(())
        }
    }
}

fn tell(done: &str, nothing: &str, moved: Result<Vec<&'static str>, MigrateError>) -> Result<(), Failure> {
    let moved = moved.map_err(failure)?;
    if moved.is_empty() {
        return output::line(nothing);
    }
    moved.iter().try_for_each(|name| output::line(format!("{done} {name}")))
}

pub(crate) fn failure(error: MigrateError) -> Failure {
    match error {
        MigrateError::Db(error) => shop::db_failure(&error),
        MigrateError::Failed { .. } => Failure::failed(error.to_string()),
        MigrateError::Newer(_) => Failure::new(Exit::Failure, error.to_string()),
    }
}
