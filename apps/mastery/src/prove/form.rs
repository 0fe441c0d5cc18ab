//! That a lab has everything that a lab has.
//!
//! **Invariant.** It reads; it runs nothing but the listing of tests.

use std::fs;

use anyhow::Result;

use super::{Bench, Findings};
use crate::hints;
use crate::place::Place;
use crate::variant;

/// Known mistakes that a lab keeps at least.
const MISTAKES: usize = 5;
/// Hints of a hole.
const HINTS: usize = 3;
/// What every lesson has.
const SECTIONS: [&str; 6] = [
    "## Invariants",
    "## Predict before you code",
    "## Tasks",
    "## In Pulse",
    "## How Elixir does it",
    "## Reading",
];

/// What is missing.
pub(super) fn findings(place: &Place, bench: &Bench<'_>) -> Result<Findings> {
    let lab = bench.lab;
    let mut findings = Findings::new();
    let holes = variant::names(&lab.sources()?)?;
    if holes.is_empty() {
        findings.push("src has no hole: mark one with //>> and //<<".to_owned());
    }
    let hints = hints::read(&fs::read_to_string(lab.folder.join("hints.md")).unwrap_or_default());
    for hole in &holes {
        let given = hints.get(hole).map_or(0, Vec::len);
        if given != HINTS {
            findings.push(format!("hints.md has {given} hints for the hole {hole}; it takes {HINTS}"));
        }
        if !bench.tests.iter().any(|test| test.holes.contains(hole)) {
            findings.push(format!("no test says `Hole: {hole}` in its documentation"));
        }
    }
    for test in &bench.tests {
        if test.invariant.is_empty() || test.holes.is_empty() {
            findings.push(format!("{} does not document its invariant and its hole", test.id));
        }
        for hole in test.holes.iter().filter(|hole| !holes.contains(*hole)) {
            findings.push(format!("{} names the hole {hole}, which is not there", test.id));
        }
    }
    let mistakes = lab.mistakes()?;
    if mistakes.len() < MISTAKES {
        findings
            .push(format!("wrong/ has {} known mistakes; a lab keeps {MISTAKES} or more", mistakes.len()));
    }
    for mistake in &mistakes {
        if !bench.tests.iter().any(|test| test.id.to_string() == mistake.test) {
            findings.push(format!(
                "wrong/{}.rs names the test {}, which is not there",
                mistake.name, mistake.test
            ));
        }
    }
    let lesson = fs::read_to_string(lab.folder.join("README.md")).unwrap_or_default();
    for section in SECTIONS.iter().filter(|section| !lesson.lines().any(|line| line == **section)) {
        findings.push(format!("README.md has no section '{section}'"));
    }
    // The learner's copy lies two folders below the project, as the lab does, and has no neighbour but other labs' copies.
    for link in lesson.split("](../").skip(1).filter(|link| !link.starts_with("../")) {
        let link = link.split(')').next().unwrap_or_default();
        findings.push(format!(
            "README.md links to ../{link}, which the learner does not have: ../../apps/{link}"
        ));
    }
    for path in lab.about.pulse.iter().filter(|path| !place.root.join(path).exists()) {
        findings.push(format!("lab.toml says that the idea is in {path}, which is not there"));
    }
    Ok(findings)
}
