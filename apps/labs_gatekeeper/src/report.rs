//! What came of a whole plan.
//!
//! **Invariant.** The exit code is 0 only if every check is green, and there was one.

mod formats;

pub use formats::{json, junit, text};

use std::time::Duration;

use crate::kept::Kept;
use crate::plan::Check;
use crate::verdict::Verdict;

/// One check with its verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Resulted {
    /// The check's name.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The time of all its runs.
    pub took: Duration,
    /// What it printed: in the first run that was not green, or in the last.
    pub output: Kept,
}

impl Resulted {
    /// Of a check that was not started.
    pub fn without_a_run(check: &Check, verdict: Verdict) -> Self {
        Self { name: check.name.clone(), verdict, took: Duration::ZERO, output: Kept::new(0) }
    }
}

/// All checks with their verdicts, in the order of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    results: Vec<Resulted>,
}

impl Report {
    /// Of these results.
    pub fn new(results: Vec<Resulted>) -> Self {
        Self { results }
    }

    /// One result a check.
    pub fn results(&self) -> &[Resulted] {
        &self.results
    }

    /// The program's exit code: 0 all is green, 1 something is red, 130 it was stopped before anything was red.
    pub fn code(&self) -> u8 {
        //>> code
        //? Nothing is red. Is everything green?
        if self.results.iter().any(|result| result.verdict.is_red()) {
            1
        } else if self.results.iter().any(|result| !result.verdict.is_green()) {
            130
        } else {
            u8::from(self.results.is_empty())
        }
        //<<
    }
}
