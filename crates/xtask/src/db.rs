//! `cargo xtask db up | down | url`: the PostgreSQL that one develops against.
//!
//! **Invariant.** There is one a checkout; its data outlives it, and `url` names it only while it runs.

use std::fs;
use std::path::PathBuf;

use crate::chore::{Outcome, root};
use crate::postgres::Server;

/// Where it listens, so that an address in one's shell stays right; another port where this one is taken.
const PORT: u16 = 54_329;

/// Runs one of the verbs.
pub(crate) fn run(verb: &str) -> Outcome {
    match verb {
        "up" => up(),
        "down" => down(),
        "url" => {
            let url = running().ok_or("no private PostgreSQL runs: start it with `make db-up`")?;
            println(&url);
            Ok(())
        }
        _ => Err(format!("db {verb}: use up, down or url")),
    }
}

/// The address of the running server, as `db up` wrote it down.
pub(crate) fn running() -> Option<String> {
    let url = fs::read_to_string(url_file()).ok()?;
    folder().join("postmaster.pid").exists().then(|| url.trim().to_owned())
}

fn up() -> Outcome {
    if let Some(url) = running() {
        println(&url);
        return Ok(());
    }
    let server = Server::start(&folder(), "max_connections = 200\n", PORT)?;
    let file = url_file();
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    fs::create_dir_all(root().join(".data")).map_err(failed)?;
    fs::write(&file, server.url()).map_err(failed)?;
    println(&server.url());
    eprintln!("Use it: DATABASE_URL={} cargo run -- serve --migrate", server.url());
    Ok(())
}

fn down() -> Outcome {
    Server::stop(&folder())?;
    match fs::remove_file(url_file()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn url_file() -> PathBuf {
    root().join(".data/postgres.url")
}

/// In the checkout; as root in a place that the `postgres` user can reach, named after the checkout.
fn folder() -> PathBuf {
    let root = root();
    if !is_root() {
        return root.join(".data/postgres");
    }
    let name: String =
        root.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    PathBuf::from(format!("/var/tmp/pulse-postgres{name}"))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[expect(clippy::print_stdout, reason = "the address is this chore's output, for scripts to read")]
fn println(text: &str) {
    println!("{text}");
}
