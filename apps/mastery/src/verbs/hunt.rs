//! `mastery hunt`: a grade for the learner's own tests.
//!
//! **Invariant.** Tests that are red on the solution catch nothing: they must pass there first. What is missed is told by the
//! hole that it is in, and no more.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anstream::println;
use anyhow::{Result, bail};
use tokio::process::Command;

use crate::clock::Clock;
use crate::compile;
use crate::lab::Lab;
use crate::log::{Did, Log};
use crate::place::Place;
use crate::process;
use crate::render;
use crate::screen::{bad, bold, dim, first, good};
use crate::variant::Variant;
use crate::workspace::{Workspace, write};

/// What the learner's tests say of a variant.
enum Said {
    Green,
    Red(String),
    Unbuilt(String),
}

/// Hunts. Whether all known mistakes were caught.
pub(crate) async fn run(place: &Place, lab: &Lab) -> Result<bool> {
    let mine = place.work().join(&lab.name).join("tests/mine.rs");
    let text = fs::read_to_string(&mine).unwrap_or_default();
    if !text.lines().any(|line| line.trim_start().starts_with("#[") && line.contains("test")) {
        bail!("{} has no test yet: write one, then hunt", place.shown(&mine));
    }
    let workspace = Workspace::hunting(place);
    let _turn = workspace.turn()?;
    workspace.clear()?;
    workspace.render(place)?;
    let folder = workspace.lab(&lab.name);
    render::gate(lab, &folder)?;
    write(&folder.join("tests/mine.rs"), &text)?;
    println!("{} {}", bold(&lab.name), dim("your tests against known mistakes"));
    match try_on(&workspace, lab, Variant::Solution).await? {
        Said::Green => println!("  {} on the solution", good("green")),
        Said::Unbuilt(said) => {
            println!("  {}\n{}", bad("mine.rs does not build beside the solution"), first(&said, 30));
            return Ok(false);
        }
        Said::Red(said) => {
            println!(
                "  {}\n{}",
                bad("mine.rs is red on the solution: so it catches nothing"),
                // They were run from a copy.
                first(&said.replace(&format!("hunting/{}/tests/mine.rs", lab.name), &place.shown(&mine)), 30)
            );
            return Ok(false);
        }
    }
    let mistakes = lab.mistakes()?;
    let (mut caught, mut missed) = (0, BTreeSet::new());
    let clock = Clock::of("known mistakes");
    for (at, mistake) in mistakes.iter().enumerate() {
        clock.turn_to(format!("{at} of {} known mistakes were tried", mistakes.len()));
        match try_on(&workspace, lab, Variant::Mistake(mistake)).await? {
            Said::Red(_) => caught += 1,
            Said::Green => missed.extend(mistake.bodies.keys().cloned()),
            Said::Unbuilt(said) => bail!("wrong/{} does not build:\n{said}", mistake.name),
        }
    }
    drop(clock);
    Log::append(&place.log(), &lab.name, Did::Hunted { caught, of: mistakes.len() })?;
    println!("  caught {} of {}", bold(caught), mistakes.len());
    if !missed.is_empty() {
        let holes: Vec<_> = missed.into_iter().collect();
        println!("  the missed ones are about {}", holes.join(", "));
    }
    Ok(caught == mistakes.len())
}

async fn try_on(workspace: &Workspace, lab: &Lab, variant: Variant<'_>) -> Result<Said> {
    let folder = workspace.lab(&lab.name);
    render::source(lab, variant, &folder)?;
    let build = compile::build(workspace, &lab.name, &["mine"], false).await?;
    if !build.is_green() {
        let said = build.errors.first().or(build.refused.as_ref()).cloned().unwrap_or_default();
        return Ok(Said::Unbuilt(said));
    }
    let Some(program) = build.programs.get("mine") else {
        bail!("cargo built no test program of tests/mine.rs")
    };
    let mut command = Command::new(program);
    command.current_dir(&folder).stdin(Stdio::null()).env("RUST_BACKTRACE", "0");
    let ended = process::run(&mut command, None, Some(Duration::from_secs(lab.about.seconds))).await?;
    // A mistake may hang, or leave: both are seen.
    let passed =
        ended.stdout.contains("test result: ok.") && ended.status.is_some_and(|status| status.success());
    Ok(match ended.status {
        Some(_) if passed => Said::Green,
        Some(_) => Said::Red(ended.stdout + &ended.stderr),
        None => Said::Red(format!("it was still running after {} s:\n{}", lab.about.seconds, ended.stdout)),
    })
}
