//! `cargo xtask test` and `prove`: nextest over the workspace, then the doc tests; the labs' gates. With a PostgreSQL of
//! this run's own.
//!
//! **Invariant.** The tests' server lives in a temporary folder on a free port and is gone when the run ends, however
//! it ends; PostgreSQL tests never skip.

use std::path::Path;

use crate::chore::{self, Outcome, cargo};
use crate::postgres::Server;

/// Tests don't outlive their server: what a power cut would lose is of no interest to them.
const SETTINGS: &str = "\
fsync = off
synchronous_commit = on
full_page_writes = off
max_connections = 400
shared_buffers = '256MB'
";

/// The variable through which tests learn of the server.
const URL: &str = "PULSE_TEST_PG";

/// Runs everything; arguments after `--` narrow nextest's selection and leave the doc tests out.
pub(crate) fn run(args: &[&str]) -> Outcome {
    let selection = match args {
        [] => None,
        ["--", selection @ ..] => Some(selection),
        _ => return Err("test: write nextest's arguments after `--`".to_owned()),
    };
    with_postgres(|url| {
        let mut nextest = cargo();
        nextest.args(["nextest", "run", "--locked"]).env(URL, url);
        match selection {
            Some(selection) => return chore::run(nextest.args(selection)),
            None => chore::run(nextest.arg("--workspace"))?,
        }
        chore::run(cargo().args(["test", "--workspace", "--doc", "--locked", "--quiet"]).env(URL, url))
    })
}

/// Proves the labs' gates; the arguments go to `cargo mastery prove`.
pub(crate) fn prove(args: &[&str]) -> Outcome {
    with_postgres(|url| {
        let mut mastery = cargo();
        mastery.args(["run", "--quiet", "--locked", "--package", "mastery", "--", "prove"]);
        chore::run(mastery.args(args).env(URL, url))
    })
}

/// Calls `body` with the address of a server: the given one (`PULSE_TEST_PG`), or a new one for as long as `body` runs.
pub(crate) fn with_postgres(body: impl FnOnce(&str) -> Outcome) -> Outcome {
    if let Ok(url) = std::env::var(URL) {
        return body(&url);
    }
    let folder = Path::new("/var/tmp").join(format!("pulse-test-postgres-{}", std::process::id()));
    let server = Server::start(&folder, SETTINGS, 0)?;
    let _until_dropped = server.guard()?;
    body(&server.url())
}
