//! Black-box tests of the built binary: its command line, its failures, its life, and what survives a kill.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up fails")]

mod backups;
mod browser;
mod cli;
mod configuration;
mod effects;
mod http;
mod ingest;
mod kill;
mod life;
mod machine;
#[path = "../../../pulse_jobs/tests/it/outside.rs"]
mod outside;
mod program;
mod replay;
mod secrets;
