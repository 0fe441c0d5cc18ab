//! Mutants: small changes inside the holes, each of which the gate must see.
//!
//! **Invariant.** cargo-mutants says what is changed, the gate says whether it is seen: a mutant is caught if one trial is not
//! green, a hang included. One that no trial sees is a finding, unless the lab's `mutants.toml` gives the reason.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::{Bench, Findings, over};
use crate::compile::cargo;
use crate::expected::{BUDGET, Expected};
use crate::mutant::Mutant;
use crate::process;
use crate::render;
use crate::stages::Built;
use crate::trial::Verdict;
use crate::variant::Variant;
use crate::workspace::write;

/// A lab's `mutants.toml`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default)]
    except: Vec<Exception>,
}

/// A mutant that is as good as the solution.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    /// `src/lib.rs: replace < with <= in f`.
    mutant: String,
    /// The line that is changed (its first one), as it stands, without what is around.
    line: String,
    /// Why nobody could see a difference, for whoever reads the proof.
    #[serde(rename = "reason")]
    _reason: String,
}

/// How many came to which end.
#[derive(Default)]
struct Count {
    caught: usize,
    hung: usize,
    unviable: usize,
    excepted: usize,
    missed: usize,
    untried: usize,
}

/// What became of one.
enum End {
    Caught,
    Hung,
    Unviable,
    Missed,
}

/// Mutants that no test sees, and how all came out, in words. Seconds a mutant. Needs cargo-mutants.
/// None is begun after `until`.
pub(super) async fn findings(bench: &Bench<'_>, until: Option<Instant>) -> Result<(String, Findings)> {
    render::source(bench.lab, Variant::Solution, &bench.workspace.lab(&bench.lab.name))?;
    // Nothing is caught by a gate that is red without a mutant, and nothing fails to build beside what does not build.
    match tried(bench, &[]).await? {
        End::Missed => {}
        _ => return Ok(("none was tried".to_owned(), vec!["the solution itself is not green".to_owned()])),
    }
    let (sources, kept) = (bench.lab.sources()?, kept(bench)?);
    let mut used = vec![false; kept.except.len()];
    let (mut count, mut findings) = (Count::default(), Findings::new());
    for mutant in listed(bench).await? {
        // Theirs is the path in the workspace, ours the one in the lab.
        let Some((path, text)) = sources.iter().find(|(path, _)| mutant.file.ends_with(&in_lab(bench, path)))
        else {
            continue;
        };
        let holes = mutant.holes(text)?;
        if holes.is_empty() {
            continue;
        }
        let line = text.lines().nth(mutant.span.start.line - 1).unwrap_or_default().trim();
        let what = format!("{}: {}", path.display(), mutant.change());
        let fits = |except: &Exception| except.mutant == what && except.line == line;
        if let Some(at) = kept.except.iter().position(fits) {
            used[at] = true;
            count.excepted += 1;
            continue;
        }
        if over(until) {
            count.untried += 1;
            continue;
        }
        let file = bench.workspace.lab(&bench.lab.name).join(path);
        write(&file, &mutant.applied(text))?;
        let end = tried(bench, &holes).await;
        write(&file, text)?;
        match end? {
            End::Caught => count.caught += 1,
            End::Hung => count.hung += 1,
            End::Unviable => count.unviable += 1,
            End::Missed => {
                count.missed += 1;
                let (path, start) = (in_lab(bench, path), mutant.span.start.line);
                findings.push(format!("missed: apps/{path}:{start}: {}\n      {line}", mutant.change()));
            }
        }
    }
    for (except, _) in kept.except.iter().zip(used).filter(|(_, used)| !used) {
        findings
            .push(format!("mutants.toml excepts what is not there: {} at '{}'", except.mutant, except.line));
    }
    Ok((count.to_string(), findings))
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { caught, hung, unviable, excepted, missed, untried } = self;
        let all = caught + hung + unviable + excepted + missed + untried;
        write!(
            f,
            "{all}: {caught} caught, {hung} hung, {unviable} do not build, {excepted} excepted, {missed} missed"
        )?;
        if *untried > 0 {
            write!(f, ", {untried} not tried: the time was over")?;
        }
        Ok(())
    }
}

/// `labs_x/src/lib.rs`.
fn in_lab(bench: &Bench<'_>, path: &Path) -> String {
    format!("{}/{}", bench.lab.name, path.display())
}

fn kept(bench: &Bench<'_>) -> Result<Kept> {
    match fs::read_to_string(bench.lab.folder.join("mutants.toml")) {
        Ok(text) => toml::from_str(&text).with_context(|| format!("mutants.toml of {}", bench.lab.name)),
        Err(_) => Ok(Kept::default()),
    }
}

/// All mutants of the lab's sources.
async fn listed(bench: &Bench<'_>) -> Result<Vec<Mutant>> {
    let mut mutants = cargo(&bench.workspace);
    mutants.args([
        "mutants",
        "--list",
        "--json",
        "--no-config",
        "--colors=never",
        "--package",
        &bench.lab.name,
    ]);
    mutants.env("CARGO_NET_OFFLINE", "true");
    let ended = process::run(&mut mutants, None, None).await?;
    if ended.stderr.contains("no such command") {
        bail!("cargo-mutants is not there: run `sh tools/setup.sh prove`");
    }
    serde_json::from_str(&ended.stdout)
        .with_context(|| format!("cargo-mutants gave no list:\n{}", ended.stderr.trim()))
}

/// Builds what is rendered and tries the gate, those tests first that are about these holes. What the tests of the budget are
/// needed for is seldom: they are built last.
async fn tried(bench: &Bench<'_>, holes: &[String]) -> Result<End> {
    let is_budget = |test: &&Expected| test.id.stage == BUDGET;
    let about = |test: &Expected| !test.holes.iter().any(|hole| holes.contains(hole));
    let mut parts = BTreeMap::from([(0, Vec::new()), (1, Vec::new())]);
    for test in &bench.tests {
        parts.entry(usize::from(is_budget(&test))).or_default().push(test.clone());
    }
    for (part, mut tests) in parts.into_iter().filter(|(_, tests)| !tests.is_empty()) {
        tests.sort_by_key(about);
        let stage = if part == 0 { Some("gate") } else { None };
        let built = Built::new(bench.lab, &bench.workspace, stage, false).await?;
        if !built.build.is_green() {
            return Ok(End::Unviable);
        }
        match built.first_red(&tests, 1).await? {
            Some(Verdict::Hung(_)) => return Ok(End::Hung),
            Some(_) => return Ok(End::Caught),
            None => {}
        }
    }
    Ok(End::Missed)
}
