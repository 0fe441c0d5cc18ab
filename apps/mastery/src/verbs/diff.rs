//! `mastery diff`: the solution beside the learner's code.
//!
//! **Invariant.** It is shown after a pass, or to who gives up, which is in the log.

use std::process::Command;

use anstream::println;
use anyhow::{Context as _, Result, bail};

use crate::lab::Lab;
use crate::log::{Did, Log, Standing};
use crate::place::Place;
use crate::screen::{coloured, dim};

/// Shows it.
pub(crate) fn run(place: &Place, lab: &Lab, give_up: bool) -> Result<()> {
    let standing = Log::read(&place.log())?.standing(&lab.name);
    let may_see = matches!(standing, Standing::Passed(_) | Standing::GaveUp);
    if !may_see && !give_up {
        bail!(
            "{} is not passed yet; a hint: cargo mastery hint {0}; or give up: cargo mastery diff {0} --give-up",
            lab.name
        );
    }
    if !may_see {
        Log::append(&place.log(), &lab.name, Did::GaveUp)?;
    }
    println!("{}", dim("- yours   + the solution"));
    let mut git = Command::new("git");
    git.args(["--no-pager", "diff", "--no-index", "--ignore-space-at-eol"]);
    git.arg(if coloured() { "--color=always" } else { "--color=never" });
    git.arg(place.work().join(&lab.name).join("src")).arg(lab.folder.join("src"));
    // One is git's word for "they differ".
    match git.status().context("git can't be started: install it")?.code() {
        Some(0 | 1) => Ok(()),
        _ => bail!("git could not compare them"),
    }
}
