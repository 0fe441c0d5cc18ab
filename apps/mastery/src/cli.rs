//! The command line.
//!
//! **Invariant.** Every verb that is about one lab may be called without its name, from the lab's folder or after it
//! was started.

use clap::{Args, Parser, Subcommand};

/// Labs from skeleton to green.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo mastery", max_term_width = 80)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// What to do; without a verb, the overview.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Begin a lab: its skeleton goes to work/
    Start {
        /// By name (with or without `labs_`) or milestone
        lab: String,
        /// Begin anew; what you have is moved to work/backup
        #[arg(long)]
        reset: bool,
    },
    /// Check a lab, stage by stage, up to the first red one
    Check(Check),
    /// The next hint for what is red now
    Hint {
        lab: Option<String>,
        /// For this hole
        #[arg(long)]
        hole: Option<String>,
    },
    /// Run your own tests (tests/mine.rs) against known mistakes
    Hunt { lab: Option<String> },
    /// The solution beside yours, after a pass
    Diff {
        lab: Option<String>,
        /// Before a pass; it is noted in the log
        #[arg(long)]
        give_up: bool,
    },
    /// What stands in the way: toolchain, disk, PostgreSQL, ports
    Doctor,
    /// For authors and CI: prove that the gates of these labs (or of all) are strong
    Prove(Prove),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The one in whose folder you are, or that was started last, if none is named
    pub(crate) lab: Option<String>,
    /// Again whenever a file is saved
    #[arg(long)]
    pub(crate) watch: bool,
    /// One test alone
    #[arg(long, value_name = "TEST")]
    pub(crate) only: Option<String>,
    /// Replay what was random
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Also if this very code has passed before
    #[arg(long)]
    pub(crate) again: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Labs, by name or milestone
    pub(crate) labs: Vec<String>,
    /// How often the solution must pass, each time with another seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) times: u64,
    /// Keep the processors busy meanwhile
    #[arg(long)]
    pub(crate) busy: bool,
    /// One part alone: form, right, nothing, exit, wrong, wrong/NAME, mutants
    #[arg(long, value_name = "PART")]
    pub(crate) only: Option<String>,
    /// Of each known mistake, try only the test that must catch it, not those before it
    #[arg(long)]
    pub(crate) quick: bool,
    /// Mutants of the holes, too (needs cargo-mutants; minutes a lab)
    #[arg(long)]
    pub(crate) mutants: bool,
    /// Begin no lab, known mistake or mutant after so many minutes; say how many were left
    #[arg(long, value_name = "N")]
    pub(crate) minutes: Option<u64>,
    /// Labs whose source, gate or known mistakes differ from this revision's come first
    #[arg(long, value_name = "REVISION", conflicts_with = "since")]
    pub(crate) first: Option<String>,
    /// Only labs whose source, gate or known mistakes differ from this revision's
    #[arg(long, value_name = "REVISION")]
    pub(crate) since: Option<String>,
}
