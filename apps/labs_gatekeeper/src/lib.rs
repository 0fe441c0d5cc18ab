//! Lab M0: a repository's own gate: it runs a project's checks side by side and says honestly what came of them.
//!
//! **Invariant.** Green means that every check has run to its end and found nothing. A check that was killed, that took too long, that
//! could not be started, that did not run, or that came to two answers, is not green; and nothing that was started is left running.
//!
//! ```
//! use labs_gatekeeper::{Plan, Settings, Stop, Verdict, run};
//!
//! let plan = Plan::read(r#"
//!     [[check]]
//!     name = "format"
//!     run = ["true"]
//!
//!     [[check]]
//!     name = "test"
//!     run = ["sh", "-c", "echo 3 tests run; exit 4"]
//!     needs = ["format"]
//! "#)?;
//! let report = run(&plan, &Settings::default(), &Stop::default(), |_| {});
//! assert_eq!(report.results()[1].verdict, Verdict::Failed { code: 4 });
//! assert_eq!(report.code(), 1);
//! # Ok::<(), labs_gatekeeper::PlanError>(())
//! ```
//!
//! The decisions are pure: [`Schedule`] says what starts and what stops, [`Verdict`] what an ending means, [`Kept`] what is kept of the
//! output. Around them, [`process`] starts and ends real processes, and [`run`] brings both together.

mod figure;
mod kept;
mod plan;
pub mod process;
mod report;
mod run;
mod schedule;
mod verdict;

pub use figure::Figure;
pub use kept::Kept;
pub use plan::{Check, Plan, PlanError};
pub use report::{Report, Resulted, json, junit, text};
pub use run::{Event, Settings, Stop, run};
pub use schedule::Schedule;
pub use verdict::{Ending, Verdict, judge_run, judge_runs};
