//! What an ending means.
//!
//! **Invariant.** Only an exit code of 0, in time, with the figure that was asked for, each time, is green. Repeating a check can turn
//! green into red, never red into green.

use crate::figure::Figure;

/// How one run of a check's process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// It took too long, and was ended.
    TimedOut,
    /// The gate was told to stop, and ended it.
    Stopped,
    /// It could not be started.
    NotStarted(String),
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It ran to its end and found nothing.
    Passed,
    /// It ended with this code.
    Failed {
        /// Not 0.
        code: i32,
    },
    /// Somebody killed it.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// It did not end in time.
    TimedOut,
    /// It passed now and failed then.
    Flaky {
        /// Runs that passed.
        passed: u32,
        /// All runs.
        runs: u32,
    },
    /// Its figure is too small.
    BelowFloor {
        /// What it printed.
        found: f64,
        /// What was asked for.
        least: f64,
    },
    /// It did not print the figure that was asked for.
    NoFigure,
    /// It could not be started.
    NotStarted {
        /// Why.
        reason: String,
    },
    /// The gate stopped it, because of another check or because somebody asked.
    Stopped,
    /// It was not started.
    Skipped {
        /// The check whose red is the reason.
        because: String,
    },
}

impl Verdict {
    /// Whether all is well.
    pub fn is_green(&self) -> bool {
        *self == Self::Passed
    }

    /// Whether the check itself found something, or could not do its work.
    pub fn is_red(&self) -> bool {
        !matches!(self, Self::Passed | Self::Stopped | Self::Skipped { .. })
    }
}

/// What one run means.
pub fn judge_run(ending: &Ending, figure: Option<&Figure>, output: &str) -> Verdict {
    //>> judge
    //? How many ways are there for a process to end without having found anything, and yet not be a success?
    match ending {
        Ending::Exited(0) => match figure.map(|figure| (figure.find(output), figure.least)) {
            Some((None, _)) => Verdict::NoFigure,
            Some((Some(found), least)) if found < least => Verdict::BelowFloor { found, least },
            _ => Verdict::Passed,
        },
        Ending::Exited(code) => Verdict::Failed { code: *code },
        Ending::Signalled(signal) => Verdict::Killed { signal: *signal },
        Ending::TimedOut => Verdict::TimedOut,
        Ending::Stopped => Verdict::Stopped,
        Ending::NotStarted(reason) => Verdict::NotStarted { reason: reason.clone() },
    }
    //<<
}

/// What several runs of the same check mean together. No run at all is no success.
pub fn judge_runs(runs: &[Verdict]) -> Verdict {
    //>> agree
    //? Three runs: green, red, green. What is it, and what is it not? And if the gate was stopped in the third, or in the second?
    // What was seen before a stop was seen: a stop hides no red.
    let ended: Vec<&Verdict> = runs.iter().filter(|run| **run != Verdict::Stopped).collect();
    let green = ended.iter().filter(|run| run.is_green()).count();
    let count = |runs: usize| u32::try_from(runs).unwrap_or(u32::MAX);
    match ended.iter().find(|run| !run.is_green()) {
        Some(_) if green > 0 => Verdict::Flaky { passed: count(green), runs: count(ended.len()) },
        Some(first) => (*first).clone(),
        None if runs.is_empty() => Verdict::NotStarted { reason: "it was run no times".to_owned() },
        None if ended.len() < runs.len() => Verdict::Stopped,
        None => Verdict::Passed,
    }
    //<<
}
