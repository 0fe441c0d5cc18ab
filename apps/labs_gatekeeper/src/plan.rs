//! The checks of a project, from its `gate.toml`.
//!
//! **Invariant.** A plan that exists makes sense: it has checks, their names are different, and each needs only what stands above it; so
//! it has no circles, and the order in which it is written is an order in which it can be run. A word that nobody knows is refused:
//! a misspelt `secnods` must not mean no limit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::figure::Figure;

/// One check: a program that ends with 0 if all is well.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What it is called.
    pub name: String,
    /// Program and arguments; no shell reads them.
    pub run: Vec<String>,
    /// The places of the checks that must be green before it starts.
    pub needs: Vec<usize>,
    /// How long it may take.
    pub time: Duration,
    /// How often it is run: a check that passes now and fails then is flaky.
    pub repeat: u32,
    /// A number that it must print.
    pub figure: Option<Figure>,
    /// Checks with the same lock never run at the same time.
    pub lock: Option<String>,
    /// Variables that are set for it.
    pub env: BTreeMap<String, String>,
    /// Where it runs; where the gate runs, if not said.
    pub folder: Option<PathBuf>,
}

/// Checks in the order in which they are to be started: the quick ones first.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    checks: Vec<Check>,
}

/// Why a plan makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Not TOML, or not a plan.
    #[error("{0}")]
    Unreadable(String),
    /// A gate of nothing would always be green.
    #[error("there is no check: add a [[check]] with a name and what to run")]
    Empty,
    /// Two of the same name.
    #[error("two checks are called {0}: rename one")]
    Twice(String),
    /// No program.
    #[error("check {0} runs nothing: say run = [\"program\", \"argument\"]")]
    RunsNothing(String),
    /// A limit that nothing can keep, or a repetition of no times.
    #[error("check {0}: seconds must be above 0, and repeat 1 or more")]
    Zero(String),
    /// A need that does not exist, or comes later.
    #[error("check {check} needs {need}, which does not stand above it")]
    NotAbove {
        /// Who needs.
        check: String,
        /// What.
        need: String,
    },
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Seconds that a check may take if it says nothing itself.
    #[serde(default = "ten_minutes")]
    seconds: f64,
    #[serde(default, rename = "check")]
    checks: Vec<WrittenCheck>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCheck {
    name: String,
    run: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    seconds: Option<f64>,
    #[serde(default = "once")]
    repeat: u32,
    figure: Option<Figure>,
    lock: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    folder: Option<PathBuf>,
}

fn ten_minutes() -> f64 {
    600.0
}

fn once() -> u32 {
    1
}

impl Plan {
    /// Reads a `gate.toml`.
    pub fn read(toml: &str) -> Result<Self, PlanError> {
        let written: Written =
            toml::from_str(toml).map_err(|error| PlanError::Unreadable(error.to_string()))?;
        let mut checks: Vec<Check> = Vec::with_capacity(written.checks.len());
        for check in written.checks {
            if checks.iter().any(|above| above.name == check.name) {
                return Err(PlanError::Twice(check.name));
            }
            if check.run.first().is_none_or(String::is_empty) {
                return Err(PlanError::RunsNothing(check.name));
            }
            let time =
                Duration::try_from_secs_f64(check.seconds.unwrap_or(written.seconds)).unwrap_or_default();
            if time.is_zero() || check.repeat == 0 {
                return Err(PlanError::Zero(check.name));
            }
            let above = |need: &String| checks.iter().position(|above| above.name == *need);
            let mut needs = Vec::with_capacity(check.needs.len());
            for need in &check.needs {
                let Some(place) = above(need) else {
                    return Err(PlanError::NotAbove { check: check.name, need: need.clone() });
                };
                needs.push(place);
            }
            checks.push(Check {
                name: check.name,
                run: check.run,
                needs,
                time,
                repeat: check.repeat,
                figure: check.figure,
                lock: check.lock,
                env: check.env,
                folder: check.folder,
            });
        }
        if checks.is_empty() { Err(PlanError::Empty) } else { Ok(Self { checks }) }
    }

    /// Its checks, in order.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Only the named checks and what they need; an unknown name is the error.
    pub fn only(&self, names: &[String]) -> Result<Self, String> {
        let mut wanted = vec![false; self.checks.len()];
        for name in names {
            let place = self.checks.iter().position(|check| check.name == *name);
            wanted[place.ok_or_else(|| name.clone())?] = true;
        }
        for place in (0..self.checks.len()).rev() {
            if wanted[place] {
                for &need in &self.checks[place].needs {
                    wanted[need] = true;
                }
            }
        }
        let places: Vec<usize> = (0..wanted.len()).filter(|&place| wanted[place]).collect();
        let moved = |need: &usize| places.binary_search(need).unwrap_or(0);
        let keep = |&place: &usize| {
            let check = &self.checks[place];
            Check { needs: check.needs.iter().map(moved).collect(), ..check.clone() }
        };
        Ok(Self { checks: places.iter().map(keep).collect() })
    }
}
