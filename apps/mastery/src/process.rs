//! Running a program to its end, or to ours.
//!
//! **Invariant.** Nothing that was started here outlives the call: at the time limit, at ctrl-C and at an error its
//! whole process group is ended. What it prints is kept up to a bound.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// The most that is kept of what a program prints, a stream. Cargo's messages of a large build stay far below.
const KEPT: u64 = 16 * 1024 * 1024;

/// How long what is left in its pipes may take once a program has ended. Only who left its process group needs longer.
const LEFT: Duration = Duration::from_secs(10);

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None` if its time was over.
    pub(crate) status: Option<ExitStatus>,
}

/// Kills a process group when it is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // It may be gone already.
            _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Runs a program in a process group of its own. Its input stays open, behind a first line, for as long as it runs.
pub(crate) async fn run(command: &mut Command, line: Option<&str>, limit: Option<Duration>) -> Result<Ended> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    if line.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().with_context(|| match name.as_str() {
        "cargo" => "cargo can't be started; it comes with https://rustup.rs".to_owned(),
        _ => format!("{name} can't be started"),
    })?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    // Read while it runs: a program that prints much would wait for its reader.
    let (out, err) = (tokio::spawn(kept(child.stdout.take())), tokio::spawn(kept(child.stderr.take())));
    let mut input = child.stdin.take();
    if let (Some(input), Some(line)) = (&mut input, line) {
        // One that has ended already did not want it.
        _ = input.write_all(format!("{line}\n").as_bytes()).await;
    }
    let status = match limit {
        Some(limit) => tokio::time::timeout(limit, child.wait()).await.ok(),
        None => Some(child.wait().await),
    };
    // Whom it has left behind holds its output open.
    drop(group);
    let status = status.transpose().with_context(|| format!("{name} can't be waited for"))?;
    if status.is_none() {
        _ = child.wait().await;
    }
    let read = async { Ok::<_, anyhow::Error>((out.await??, err.await??)) };
    let (stdout, stderr) = tokio::time::timeout(LEFT, read).await.with_context(|| {
        format!("{name} has ended, and something that it started holds its output open")
    })??;
    Ok(Ended { stdout, stderr, status })
}

async fn kept(stream: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut stream) = stream else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    (&mut stream).take(KEPT).read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
