//! `mastery prove`: that a gate is strong.
//!
//! **Invariant.** A lab is proven if right is green, nothing is red, and every known mistake is red by name; anything
//! that can't be decided is not proven. What was left because the time was over is said, and is no finding.

mod form;
mod mistakes;
mod mutants;
mod nothing;
mod report;
mod right;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use anstream::println;
use anyhow::{Error, Result};

use self::report::Report;
use crate::expected::Expected;
use crate::lab::Lab;
use crate::place::Place;
use crate::render;
use crate::screen::{bad, bold, dim, first, good};
use crate::stages::Built;
use crate::variant::Variant;
use crate::workspace::Workspace;

/// How much is proven.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// How often the solution must pass, each time with another seed.
    pub(crate) times: u64,
    /// Whether other work keeps the processors busy meanwhile.
    pub(crate) busy: bool,
    /// One part alone: `form`, `right`, `nothing`, `exit`, `wrong`, `wrong/NAME`, `mutants`.
    pub(crate) only: Option<String>,
    /// Whether only the test that must catch a known mistake is tried.
    pub(crate) quick: bool,
    /// Whether mutants of the holes are tried, too.
    pub(crate) mutants: bool,
    /// No lab, known mistake or mutant is begun so many minutes after the run has.
    pub(crate) minutes: Option<u64>,
}

impl Options {
    fn asks_for(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part || only.starts_with(&format!("{part}/")))
    }

    /// When nothing more is begun.
    fn until(&self, began: Instant) -> Option<Instant> {
        self.minutes.map(|minutes| began + Duration::from_mins(minutes))
    }

    fn asks_for_mistake(&self, name: &str) -> bool {
        self.only.as_deref().and_then(|only| only.strip_prefix("wrong/")).is_none_or(|only| only == name)
    }
}

/// Something that was to be shown and was not, in words.
pub(crate) type Findings = Vec<String>;

/// A lab on the bench.
struct Bench<'l> {
    lab: &'l Lab,
    tests: Vec<Expected>,
    workspace: Workspace,
}

impl Bench<'_> {
    /// Lays a variant out and builds it.
    async fn built(&self, variant: Variant<'_>) -> Result<Built<'_>> {
        render::source(self.lab, variant, &self.workspace.lab(&self.lab.name))?;
        let stage = match variant {
            // What comes behind its own stage is never run.
            Variant::Mistake(mistake) => Some(mistake.stage()),
            Variant::Solution | Variant::Skeleton | Variant::Leaves => None,
        };
        Built::new(self.lab, &self.workspace, stage, false).await
    }
}

/// Why a variant that must build does not.
fn unbuilt(built: &Built<'_>) -> Option<String> {
    if built.build.is_green() {
        return None;
    }
    let said = built.build.errors.first().or(built.build.refused.as_ref());
    Some(format!("it does not build:\n{}", first(said.map_or("", String::as_str), 20)))
}

/// Whether the time is over.
fn over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() >= until)
}

/// Proves these labs, two at a time: while one builds, the other tries its tests. Whether all that were begun are proven.
pub(crate) async fn run(place: &Place, labs: &[Lab], options: &Options) -> Result<bool> {
    let until = options.until(Instant::now());
    let waiting = RefCell::new(labs.iter());
    let prover = async || {
        let mut proven = true;
        while !over(until) {
            let Some(lab) = waiting.borrow_mut().next() else { break };
            let mut report = Report::new(labs.len() == 1);
            proven &= one(place, lab, options, until, &mut report).await?;
            report.end();
        }
        Ok::<_, Error>(proven)
    };
    let (first, second) = tokio::try_join!(prover(), prover())?;
    let left: Vec<&str> = waiting.into_inner().map(|lab| lab.name.as_str()).collect();
    if !left.is_empty() {
        println!("Not begun, because the time was over: {}", left.join(", "));
    }
    if labs.is_empty() {
        println!("No lab has changed.");
    }
    Ok(first && second)
}

/// Proves one, and says so.
async fn one(
    place: &Place,
    lab: &Lab,
    options: &Options,
    until: Option<Instant>,
    report: &mut Report,
) -> Result<bool> {
    let started = Instant::now();
    report.say(&format!("{} {}", bold(&lab.name), dim(&lab.about.title)));
    let findings = parts(place, lab, options, until, report).await?;
    for finding in &findings {
        report.say(&format!("  {}", bad(finding)));
    }
    let seconds = started.elapsed().as_secs();
    let word = if findings.is_empty() { good("proven").to_string() } else { bad("not proven").to_string() };
    report.say(&format!("  {word} {}", dim(format!("in {seconds} s"))));
    Ok(findings.is_empty())
}

async fn parts(
    place: &Place,
    lab: &Lab,
    options: &Options,
    until: Option<Instant>,
    report: &mut Report,
) -> Result<Findings> {
    let workspace = Workspace::proving(place, &lab.name);
    let _turn = workspace.turn()?;
    workspace.clear()?;
    workspace.render(place)?;
    render::gate(lab, &workspace.lab(&lab.name))?;
    let bench = Bench { lab, tests: lab.expected()?, workspace };
    let mut all = Findings::new();
    if options.asks_for("form") {
        report.tell("form", form::findings(place, &bench)?, &mut all);
    }
    if options.asks_for("right") {
        let part = format!("right is green, {} times", options.times);
        report.tell(&part, right::findings(&bench, options).await?, &mut all);
    }
    if options.asks_for("nothing") {
        report.tell("nothing is red", nothing::findings(&bench, Variant::Skeleton).await?, &mut all);
    }
    if options.asks_for("exit") {
        report.tell("leaving is red", nothing::findings(&bench, Variant::Leaves).await?, &mut all);
    }
    if options.asks_for("wrong") {
        let mut left = 0;
        for mistake in lab.mistakes()?.iter().filter(|mistake| options.asks_for_mistake(&mistake.name)) {
            if over(until) {
                left += 1;
                continue;
            }
            let findings = mistakes::findings(&bench, mistake, options.quick).await?;
            report.tell(&format!("wrong/{} is red by name", mistake.name), findings, &mut all);
        }
        if left > 0 {
            report.say(&format!("  -   {left} known mistakes were left: the time was over"));
        }
    }
    if options.mutants || options.only.as_deref() == Some("mutants") {
        let (count, findings) = mutants::findings(&bench, until).await?;
        report.tell(&format!("mutants are red: {count}"), findings, &mut all);
    }
    Ok(all)
}
