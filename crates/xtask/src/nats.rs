//! `cargo xtask nats up | down | url`: the NATS server, with JetStream, that one develops against.
//!
//! **Invariant.** There is one a checkout, on the loopback interface; its store outlives it, and `url` names it only while
//! it runs. It is stopped by its process number, after a look that this number is still its own.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::chore::{Outcome, root, run as run_program};

/// NATS' own port; another one where it is taken.
const PORT: u16 = 4_222;

/// Runs one of the verbs.
pub(crate) fn run(verb: &str) -> Outcome {
    match verb {
        "up" => up(),
        "down" => down(),
        "url" => {
            let (_, url) = running().ok_or("no NATS server runs: start it with `cargo xtask nats up`")?;
            println(&url);
            Ok(())
        }
        _ => Err(format!("nats {verb}: use up, down or url")),
    }
}

fn up() -> Outcome {
    if let Some((_, url)) = running() {
        println(&url);
        return Ok(());
    }
    let program = root().join(".tools/nats/bin/nats-server");
    if !program.exists() {
        return Err("the NATS server is missing: `sh tools/setup.sh test` installs it".to_owned());
    }
    let folder = folder();
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    let listener = TcpListener::bind(("127.0.0.1", PORT)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
    let listener = listener.map_err(|error| format!("no free port: {error}"))?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    drop(listener);
    let mut child = Command::new(&program)
        .args(["--addr", "127.0.0.1", "--jetstream", "--port", &port.to_string(), "--store_dir"])
        .arg(folder.join("store"))
        .arg("--log")
        .arg(folder.join("server.log"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("nats-server can't be started: {error}"))?;
    // It outlives us; that it answers is all that we wait for.
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("nats-server ended: {status}; see {}", folder.join("server.log").display()));
        }
        sleep(Duration::from_millis(20));
    }
    let url = format!("nats://127.0.0.1:{port}");
    fs::write(folder.join("running"), format!("{} {url}", child.id())).map_err(failed)?;
    println(&url);
    Ok(())
}

fn down() -> Outcome {
    if let Some((pid, _)) = running() {
        run_program(Command::new("kill").arg(pid.to_string()))?;
        while running().is_some() {
            sleep(Duration::from_millis(20));
        }
    }
    match fs::remove_file(folder().join("running")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Number and address of the running server.
fn running() -> Option<(u32, String)> {
    let text = fs::read_to_string(folder().join("running")).ok()?;
    let (pid, url) = text.trim().split_once(' ')?;
    let pid = pid.parse().ok()?;
    // The number may have been given to another program since; one that has ended and is not yet buried has no command.
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let ours = String::from_utf8_lossy(&command).contains("nats-server");
    ours.then(|| (pid, url.to_owned()))
}

fn folder() -> PathBuf {
    root().join(".data/nats")
}

#[expect(clippy::print_stdout, reason = "the address is this chore's output, for scripts to read")]
fn println(text: &str) {
    println!("{text}");
}
