//! One test of a gate, tried in a process of its own.
//!
//! **Invariant.** Green is a receipt: the ticket of this very trial, given back behind the last assertion. Each trial has
//! its own ticket, and nobody else ever has it.

use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::expected::{Expected, TestId};
use crate::process::{self, Ended};

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It gave its receipt.
    Green,
    /// It failed, and said this.
    Red(String),
    /// It ended as if all were well, without a receipt.
    Left(String),
    /// Its time was over.
    Hung(String),
}

impl Verdict {
    pub(crate) fn is_green(&self) -> bool {
        *self == Self::Green
    }

    /// What it printed; nothing if it is green.
    pub(crate) fn output(&self) -> &str {
        match self {
            Self::Green => "",
            Self::Red(output) | Self::Left(output) | Self::Hung(output) => output,
        }
    }
}

/// The conditions of a trial.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The test's folder: it finds its files there.
    pub(crate) folder: PathBuf,
    /// What it finds in its environment beside what everybody finds there.
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) seed: u64,
    /// What takes longer hangs.
    pub(crate) patience: Duration,
}

/// Tries these tests, a few at a time; the verdicts are in their order.
pub(crate) async fn all(
    tests: &[Expected],
    program: impl Fn(&TestId) -> Option<PathBuf>,
    terms: &Terms,
) -> Result<Vec<Verdict>> {
    let mut verdicts: Vec<Option<Verdict>> = vec![None; tests.len()];
    each(tests, program, terms, |at, verdict| {
        verdicts[at] = Some(verdict);
        ControlFlow::Continue(())
    })
    .await?;
    Ok(verdicts.into_iter().map(|verdict| verdict.unwrap_or(Verdict::Red(String::new()))).collect())
}

/// Tries these tests, a few at a time, until one is not green. What still runs then is ended.
pub(crate) async fn first_red(
    tests: &[Expected],
    program: impl Fn(&TestId) -> Option<PathBuf>,
    terms: &Terms,
) -> Result<Option<Verdict>> {
    let mut red = None;
    each(tests, program, terms, |_, verdict| {
        if verdict.is_green() {
            return ControlFlow::Continue(());
        }
        red = Some(verdict);
        ControlFlow::Break(())
    })
    .await?;
    Ok(red)
}

/// Tries tests in their order, a few at a time; `told` hears of each, by its place, as it ends.
async fn each(
    tests: &[Expected],
    program: impl Fn(&TestId) -> Option<PathBuf>,
    terms: &Terms,
    mut told: impl FnMut(usize, Verdict) -> ControlFlow<()>,
) -> Result<()> {
    let side_by_side = std::thread::available_parallelism().map_or(2, usize::from);
    let mut running = JoinSet::new();
    let mut waiting = tests.iter().enumerate();
    loop {
        while running.len() < side_by_side
            && let Some((at, test)) = waiting.next()
        {
            let (id, terms, program) = (test.id.clone(), terms.clone(), program(&test.id));
            running.spawn(async move {
                let verdict = match program {
                    Some(program) => one(&program, &id, &terms).await,
                    None => Ok(Verdict::Red(format!("there is no test program for {id}"))),
                };
                (at, verdict)
            });
        }
        let Some(tried) = running.join_next().await else { return Ok(()) };
        let (at, verdict) = tried?;
        if told(at, verdict?).is_break() {
            return Ok(());
        }
    }
}

/// Tries one test.
pub(crate) async fn one(program: &Path, id: &TestId, terms: &Terms) -> Result<Verdict> {
    let ticket = format!("{:032x}", rand::random::<u128>());
    let mut command = Command::new(program);
    command
        .args(["--exact", &id.target().1, "--nocapture", "--test-threads=1"])
        .current_dir(&terms.folder)
        .env("GATE_TICKET", "stdin")
        .env("GATE_SEED", terms.seed.to_string())
        .env("RUST_BACKTRACE", "0")
        .envs(terms.environment.iter().map(|(name, value)| (*name, value.as_str())));
    let ended = process::run(&mut command, Some(&ticket), Some(terms.patience)).await?;
    let receipt = format!("receipt {ticket}");
    let given = ended.stdout.lines().any(|line| line == receipt);
    Ok(match ended.status {
        Some(status) if status.success() && given => Verdict::Green,
        Some(status) if status.success() => Verdict::Left(said(&ended)),
        Some(status) if status.signal().is_some() => {
            Verdict::Red(format!("{}\nthe process was ended by a {status}", said(&ended)))
        }
        Some(_) => Verdict::Red(said(&ended)),
        None => Verdict::Hung(said(&ended)),
    })
}

/// What a test printed, without the words of the program around it.
fn said(ended: &Ended) -> String {
    let around = |line: &&str| {
        let line = line.trim();
        let names_it =
            line.starts_with("test ") && [" ok", "FAILED", "..."].iter().any(|end| line.ends_with(end));
        !(names_it
            || line.starts_with("running 1 test")
            || line.starts_with("test result: ")
            || line.starts_with("receipt ")
            || line.starts_with("note: run with `RUST_BACKTRACE=1`")
            || line.starts_with("error: test failed, to rerun"))
    };
    // Behind "failures:" the program only lists the name again.
    let own = |text: &str| {
        let lines = text.lines().take_while(|line| line.trim() != "failures:").filter(around);
        lines.collect::<Vec<_>>().join("\n")
    };
    let text = [own(&ended.stderr), own(&ended.stdout)].join("\n");
    text.trim().to_owned()
}
