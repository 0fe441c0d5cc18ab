//! Which labs differ from a revision.
//!
//! **Invariant.** What a proof of a lab depends on in its own folder is looked at, and what is not committed yet counts: its
//! prose alone does not.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::lab::Lab;

/// What a proof is of.
const PROVEN: [&str; 5] = ["src", "tests", "wrong", "lab.toml", "mutants.toml"];

/// The labs whose source, gate or known mistakes are others than in this revision, and those that are the same.
pub(crate) fn changed(root: &Path, labs: Vec<Lab>, revision: &str) -> Result<(Vec<Lab>, Vec<Lab>)> {
    let mut git = Command::new("git");
    git.args(["diff", "--name-only", "--relative", revision, "--", "apps"]).current_dir(root);
    let output = git.stdin(Stdio::null()).output().context("git can't be run")?;
    if !output.status.success() {
        bail!(
            "git can't tell what changed since {revision}:\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let files = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(labs.into_iter().partition(|lab| files.lines().any(|file| proves(&lab.name, file))))
}

/// Whether a file of the project belongs to the proof of this lab.
fn proves(lab: &str, file: &str) -> bool {
    let own = file.strip_prefix("apps/").and_then(|file| file.strip_prefix(lab)?.strip_prefix('/'));
    own.is_some_and(|own| PROVEN.contains(&own.split('/').next().unwrap_or(own)))
}

#[cfg(test)]
mod tests {
    use super::proves;

    #[test]
    fn prose_is_no_change() {
        assert!(proves("labs_jobs", "apps/labs_jobs/src/lib.rs"));
        assert!(proves("labs_jobs", "apps/labs_jobs/lab.toml"));
        assert!(!proves("labs_jobs", "apps/labs_jobs/README.md"));
        assert!(!proves("labs_jobs", "apps/labs_jobs/srcs/lib.rs"));
        assert!(!proves("labs_jobs", "apps/labs_jobs_too/src/lib.rs"));
        assert!(!proves("labs_jobs", "docs/labs_jobs/src"));
    }
}
