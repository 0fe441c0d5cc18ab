//! One file a command.
//!
//! **Invariant.** A command returns; only `main` ends the process (and a second ctrl-C).

mod audit;
mod backup;
mod config;
mod demo;
mod doctor;
mod ingest;
mod migrate;
mod openapi;
mod replay;
mod report;
mod restore;
mod serve;
mod user;

use pulse_obs::Telemetry;

use crate::cli::Command;
use crate::config::Loaded;
use crate::failure::Failure;

pub(crate) use migrate::failure as migrate_failure;

/// Runs what the command line asked for.
pub(crate) async fn run(command: Command, loaded: &Loaded, telemetry: &Telemetry) -> Result<(), Failure> {
    let config = &loaded.config;
    match command {
        Command::Serve(wanted) => serve::run(config, &wanted, telemetry).await,
        Command::Migrate { action } => migrate::run(config, action).await,
        Command::Demo(wanted) => demo::run(config, wanted).await,
        Command::Replay(wanted) => replay::run(config, wanted).await,
        Command::Ingest(wanted) => ingest::run(config, wanted).await,
        Command::Report { json } => report::run(config, json).await,
        Command::User { action } => user::run(config, action).await,
        Command::Audit { action } => audit::run(config, action).await,
        Command::Doctor => doctor::run(config).await,
        Command::Openapi => openapi::run(config),
        Command::Backup { file } => backup::run(config, &file).await,
        Command::Restore { file, yes } => restore::run(config, &file, yes).await,
        Command::Config => config::run(loaded),
    }
}
