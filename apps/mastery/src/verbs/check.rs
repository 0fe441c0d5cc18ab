//! `mastery check`: the stages of a lab, until the first red one.
//!
//! **Invariant.** The gate that is run is the lab's own: manifest, settings and tests are rendered before, so that nothing
//! that was edited there counts. A red verdict ends with the invariant, the seed, and the command that replays it.

use std::time::Duration;

use anstream::println;
use anyhow::{Result, bail};
use jiff::Timestamp;

use crate::clock::Clock;
use crate::expected::Expected;
use crate::fingerprint::Fingerprints;
use crate::lab::Lab;
use crate::log::{Did, Log, Standing};
use crate::place::Place;
use crate::render;
use crate::screen::{bad, bold, coloured, dim, first, good, wrapped};
use crate::stages::{Built, Stage};
use crate::trial::Verdict;
use crate::workspace::Workspace;

/// What to check, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// One test alone, by its name.
    pub(crate) only: Option<String>,
    /// What is random comes from here.
    pub(crate) seed: Option<u64>,
    /// Also if this very code has passed before.
    pub(crate) again: bool,
}

/// Lines of a failure that are shown.
const SHOWN: usize = 40;
/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Checks once. Whether it is green.
pub(crate) async fn run(place: &Place, lab: &Lab, options: &Options) -> Result<bool> {
    let workspace = Workspace::work(place);
    workspace.render(place)?;
    println!("{} {}", bold(&lab.name), dim(&lab.about.title));
    for other in Lab::all(&place.root)? {
        let folder = workspace.lab(&other.name);
        if other.name == lab.name || folder.is_dir() {
            for file in render::gate(&other, &folder)? {
                let file = place.shown(&folder.join(file));
                println!(
                    "  {}",
                    dim(format!("{file} is the project's again; your own tests go into tests/mine.rs"))
                );
            }
        }
    }
    let of = Fingerprints::of(place, lab)?;
    let log = Log::read(&place.log())?;
    if options.only.is_none() && !options.again && log.standing(&lab.name) == Standing::Passed(of.clone()) {
        println!("  {} {}", good("passed"), dim("and unchanged since; --again checks anew"));
        return Ok(true);
    }
    let seed = options.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let checked = |red: Option<&str>, test: Option<&Expected>, hole: Option<String>| Did::Checked {
        red: red.map(str::to_owned),
        test: test.map(|test| test.id.to_string()),
        hole,
        seed,
        of: of.clone(),
    };
    if !workspace.folder.join("target").is_dir() {
        println!("{}", dim("  the first build also builds what labs stand on; it takes a minute or two"));
    }
    let built = Built::new(lab, &workspace, None, coloured()).await?;
    if !built.build.is_green() {
        println!("  {:<10} {}", "builds", bad("red"));
        let said = built.build.errors.first().or(built.build.refused.as_ref()).map_or("", String::as_str);
        println!("\n{}\n", said.trim_end());
        match built.build.errors.len() {
            0 => println!("Cargo could not begin. cargo mastery doctor says what stands in the way."),
            1 => println!("The compiler comes first."),
            n => println!("The compiler comes first; {} more of its errors may go with this one.", n - 1),
        }
        Log::append(&place.log(), &lab.name, checked(Some("builds"), None, None))?;
        return Ok(false);
    }
    let mut tests = lab.expected()?;
    if let Some(only) = &options.only {
        tests.retain(|test| test.id.to_string() == *only || test.id.name == *only);
        if tests.is_empty() {
            bail!("{} has no test {only}", lab.name);
        }
    }
    println!("  {:<10} {}", "builds", good("ok"));
    let clock = Clock::of("the tests run");
    let stages = built.stages(&tests, seed, |stage| clock.aside(|| tell(stage))).await?;
    drop(clock);
    let red = stages.last().filter(|stage| !stage.is_green());
    if let Some(stage) = red {
        let failed = stage.tests.iter().find(|(_, verdict)| !verdict.is_green());
        let hole = failed.and_then(|(test, verdict)| hole_of(stage, test, verdict));
        if let Some((test, verdict)) = failed {
            explain(lab, test, verdict, seed, hole.as_deref());
        }
        Log::append(&place.log(), &lab.name, checked(Some(&stage.name), failed.map(|(test, _)| test), hole))?;
        return Ok(false);
    }
    if options.only.is_none() {
        Log::append(&place.log(), &lab.name, checked(None, None, None))?;
        Log::append(&place.log(), &lab.name, Did::Passed { of })?;
        println!("\n{} {}", good("Passed."), dim(Timestamp::now().strftime("%F %H:%M UTC")));
        println!("  do your own tests catch known mistakes?  cargo mastery hunt {}", lab.name);
        println!("  the solution beside yours                cargo mastery diff {}", lab.name);
        println!("  the idea in production                   {}", lab.about.pulse.join(", "));
    }
    Ok(true)
}

/// Checks, and again whenever a file has changed, until it is ended.
pub(crate) async fn watch(place: &Place, lab: &Lab, options: &Options) -> Result<bool> {
    loop {
        // Before the check: what is saved while it runs is checked, too.
        let seen = Fingerprints::of(place, lab)?;
        if let Err(error) = run(place, lab, options).await {
            println!("{} {error:#}", bad("mastery:"));
        }
        println!("\n{}\n", dim("watching src/; ctrl-C ends it"));
        // An editor may replace a file by removing it first: then there is nothing to compare yet.
        while Fingerprints::of(place, lab).is_ok_and(|now| now == seen) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn tell(stage: &Stage) {
    let all = stage.tests.len();
    if stage.is_green() {
        println!("  {:<10} {} {}", stage.name, good("ok"), dim(format!("{all} tests")));
        return;
    }
    println!("  {:<10} {} {} of {all}", stage.name, bad("red"), all - stage.green());
    for (test, verdict) in stage.tests.iter().filter(|(_, verdict)| !verdict.is_green()) {
        let how = match verdict {
            Verdict::Hung(_) => " (hangs)",
            Verdict::Left(_) => " (ended the process)",
            Verdict::Green | Verdict::Red(_) => "",
        };
        println!("             {}{how}", test.id.name);
    }
}

/// The hole that is empty still, or else, of those that the test is about, the one of whose tests the most are red; the first one
/// of equals.
fn hole_of(stage: &Stage, test: &Expected, verdict: &Verdict) -> Option<String> {
    // What is red because another hole is empty says nothing of this one.
    let filled = || stage.tests.iter().filter(|(_, verdict)| empty_in(verdict).is_none());
    let reds_of_thousand = |hole: &String| {
        let about = || filled().filter(|(test, _)| test.holes.contains(hole));
        about().filter(|(_, verdict)| !verdict.is_green()).count() * 1_000 / about().count().max(1)
    };
    let suspect = || test.holes.iter().rev().max_by_key(|hole| reds_of_thousand(hole)).cloned();
    empty_in(verdict).map(str::to_owned).or_else(suspect)
}

/// The hole that a test came to and that is empty still.
fn empty_in(verdict: &Verdict) -> Option<&str> {
    verdict.output().split("not yet implemented: ").nth(1)?.split_whitespace().next()
}

fn explain(lab: &Lab, test: &Expected, verdict: &Verdict, seed: u64, hole: Option<&str>) {
    println!("\n{}", bold(&test.id));
    let said = verdict.output();
    if !said.is_empty() {
        println!("{}", first(said, SHOWN));
    }
    match verdict {
        Verdict::Hung(_) => println!("    it was still running after {} s", lab.about.seconds),
        Verdict::Left(_) => println!(
            "{}",
            wrapped(
                "the process ended, without the receipt that a test gives behind its last assertion; does something call exit?",
                4
            )
        ),
        Verdict::Green | Verdict::Red(_) => {}
    }
    if !test.invariant.is_empty() {
        println!("\n{} {}", bad("Broken:"), wrapped(&test.invariant, 8).trim_start());
    }
    println!("{}", dim(format!("again:  cargo mastery check {} --only {} --seed {seed}", lab.name, test.id)));
    if hole.is_some() {
        println!("{}", dim(format!("stuck:  cargo mastery hint {}", lab.name)));
    }
}
