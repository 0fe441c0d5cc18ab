//! Pulse: the one binary of the shop. Reads the configuration, wires the rooms together, and runs one command.
//!
//! **Invariant.** Whatever goes wrong ends in one clear line on standard error and a documented exit code; what a
//! command prints goes to standard output, logs and progress never do.

mod background;
mod cli;
mod commands;
mod config;
mod effects;
mod failure;
mod feeds;
mod output;

mod measure;
mod notify;
mod progress;
mod rooms;
mod secrets;
mod shop;
mod signals;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::failure::Failure;

/// Carts are many small allocations that live long; measured against the system's allocator, this one keeps
/// less memory after a burst.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.exit.code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let config = config::load(&cli.global)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("pulse")
        .build()
        .map_err(|error| Failure::failed(format!("the runtime can't start: {error}")))?;
    let telemetry = {
        let _inside = runtime.enter();
        telemetry::start(&config.config)?
    };
    let result = runtime.block_on(commands::run(cli.command, &config, &telemetry));
    // Tasks that still run (a stuck read of a terminal, a hashing thread) do not keep the process.
    runtime.shutdown_timeout(telemetry::PATIENCE);
    telemetry.shutdown(telemetry::PATIENCE);
    result
}
