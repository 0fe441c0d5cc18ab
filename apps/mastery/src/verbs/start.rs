//! `mastery start`: the skeleton of a lab, in `work/`.
//!
//! **Invariant.** What a learner has written is never overwritten: a second start is refused, and `--reset` moves the old
//! folder away.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anstream::println;
use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;

use crate::lab::Lab;
use crate::lesson;
use crate::log::{Did, Log};
use crate::place::Place;
use crate::render;
use crate::screen::{bold, dim, wrapped};
use crate::variant::Variant;
use crate::workspace::{Workspace, write};

/// Renders it, and asks the first question.
pub(crate) fn run(place: &Place, lab: &Lab, reset: bool) -> Result<()> {
    let workspace = Workspace::work(place);
    let folder = workspace.lab(&lab.name);
    let mut moved = None;
    if folder.join("src").is_dir() {
        if !reset {
            bail!(
                "{} is started already, in {}; to begin anew: cargo mastery start {0} --reset",
                lab.name,
                place.shown(&folder)
            );
        }
        moved = Some(set_aside(place, lab, &folder)?);
    }
    workspace.render(place)?;
    render::source(lab, Variant::Skeleton, &folder)?;
    render::gate(lab, &folder)?;
    let questions =
        lesson::predictions(&fs::read_to_string(lab.folder.join("README.md")).unwrap_or_default());
    once(&folder.join("tests/mine.rs"), &mine(&lab.name))?;
    once(&folder.join("predictions.md"), &predictions(lab, &questions))?;
    once(&place.work().join("AGENTS.md"), AGENTS)?;
    once(&place.work().join(".gitignore"), "/target\n")?;
    keep_history(&place.work());
    Log::append(&place.log(), &lab.name, Did::Started { reset })?;

    println!("{} {}", bold(&lab.about.milestone), bold(&lab.about.title));
    if let Some(moved) = moved {
        println!("{}", dim(format!("what you had is in {}", place.shown(&moved))));
    }
    println!();
    println!("  teaches     {}", wrapped(&lab.about.teaches.join(", "), 14).trim_start());
    if !lab.about.budgets.is_empty() {
        let budgets: Vec<_> = lab
            .about
            .budgets
            .iter()
            .map(|(name, limit)| format!("{} {limit}", name.replace('_', " ")))
            .collect();
        println!("  budgets     {}", wrapped(&budgets.join(", "), 14).trim_start());
    }
    println!("  your copy   {}", place.shown(&folder));
    println!("  the lesson  {}", place.shown(&folder.join("README.md")));
    println!("  holes       {}", dim("each `todo!` in src/, with a question above it"));
    println!();
    if let Some(question) = questions.first() {
        println!("Before you code, predict:\n\n{}\n", wrapped(question, 2));
        println!(
            "{}",
            wrapped(&format!("Write your answer into {}.", place.shown(&folder.join("predictions.md"))), 0)
        );
    }
    println!("Then: {}", bold(format!("cargo mastery check {} --watch", lab.name)));
    Ok(())
}

fn set_aside(place: &Place, lab: &Lab, folder: &Path) -> Result<std::path::PathBuf> {
    let name = format!("{}-{}", lab.name, Timestamp::now().strftime("%Y%m%d-%H%M%S"));
    let backups = place.work().join("backup");
    fs::create_dir_all(&backups)?;
    let to = (0..).map(|n| backups.join(if n == 0 { name.clone() } else { format!("{name}-{n}") }));
    let to = to.into_iter().find(|to| !to.exists()).context("no name is free")?;
    fs::rename(folder, &to).with_context(|| format!("{} can't be moved away", folder.display()))?;
    Ok(to)
}

/// Writes a file that belongs to the learner from then on.
fn once(path: &Path, text: &str) -> Result<()> {
    if path.exists() { Ok(()) } else { write(path, text) }
}

/// A repository of the learner's own, so that a `git clean` of the project does not take the work with it.
fn keep_history(work: &Path) {
    if work.join(".git").exists() {
        return;
    }
    let mut git = Command::new("git");
    git.args(["init", "--quiet"])
        .current_dir(work)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Without git there is no history; all else works.
    _ = git.status();
}

fn mine(lab: &str) -> String {
    format!(
        "//! Your own tests of {lab}. Nothing overwrites this file.
//!
//! `cargo mastery hunt {lab}` runs them against known mistakes: a good test passes on the solution and fails on a mistake.

// #[test]
// fn nothing_is_lost() {{
//     assert_eq!({lab}::…, …);
// }}
"
    )
}

fn predictions(lab: &Lab, questions: &[String]) -> String {
    let questions: Vec<_> = questions.iter().map(|question| format!("- {question}\n\n  \n")).collect();
    format!("# {}: what I expect before I code\n\n{}", lab.about.title, questions.join("\n"))
}

const AGENTS: &str = "\
# For coding agents

This folder is a learner's. You may help.

- Do not read `../apps/labs_*/src`, `../apps/labs_*/wrong` or `../apps/labs_*/hints.md`: they give the answers away.
- Take one decision at a time, and let the learner take the next one.
- When something is red, the learner says first what is wrong; only then it is put right.
- Do not edit `tests/gate` or `tests/budget.rs`: they are written anew before each check.
";
