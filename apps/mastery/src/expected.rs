//! What a gate must pass, read from the text of its tests.
//!
//! **Invariant.** The set of expected tests comes from the lab's own folder, never from the program under test: a test
//! that did not run is as red as one that failed.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// A test's name: `faults::a_crash_loses_nothing`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestId {
    pub(crate) stage: String,
    pub(crate) name: String,
}

impl TestId {
    /// The test program that holds it, and its name there.
    pub(crate) fn target(&self) -> (&'static str, String) {
        if self.stage == BUDGET { (BUDGET, self.name.clone()) } else { ("gate", self.to_string()) }
    }
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.stage, self.name)
    }
}

/// The stage that has a test program of its own, because it may count allocations.
pub(crate) const BUDGET: &str = "budget";

/// A test of the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) id: TestId,
    /// What is broken if it is red.
    pub(crate) invariant: String,
    /// The holes that it is about.
    pub(crate) holes: Vec<String>,
}

/// All tests of a gate, in the order of the stages and of the files.
pub(crate) fn all(tests: &Path, stages: &[String]) -> Result<Vec<Expected>> {
    let mut tests_of_all = Vec::new();
    for stage in stages {
        let path = if stage == BUDGET {
            tests.join("budget.rs")
        } else {
            tests.join("gate").join(format!("{stage}.rs"))
        };
        let text = fs::read_to_string(&path)
            .with_context(|| format!("the stage {stage} has no {}", path.display()))?;
        let found = read(stage, &text);
        if found.is_empty() {
            bail!("{} has no test", path.display());
        }
        tests_of_all.extend(found);
    }
    Ok(tests_of_all)
}

/// The tests of one file: `#[test]`, its documentation above, and the function's name below.
pub(crate) fn read(stage: &str, text: &str) -> Vec<Expected> {
    let mut found = Vec::new();
    let mut doc: Vec<&str> = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(said) = line.strip_prefix("///") {
            doc.push(said.trim());
        } else if line == "#[test]" {
            is_test = true;
        } else if line.starts_with("#[") {
            // Another attribute of the same item.
        } else {
            let name = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            if let (true, Some(name)) = (is_test, name) {
                let id = TestId { stage: stage.to_owned(), name: name.to_owned() };
                let paragraph: Vec<_> = doc.iter().copied().take_while(|line| !line.is_empty()).collect();
                found.push(Expected { id, invariant: paragraph.join(" "), holes: holes(&doc) });
            }
            doc.clear();
            is_test = false;
        }
    }
    found
}

/// The names in backticks of the line `Hole: …` or `Holes: …`.
fn holes(doc: &[&str]) -> Vec<String> {
    let lines = doc.iter().filter(|line| line.starts_with("Hole: ") || line.starts_with("Holes: "));
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_test_is_read_with_its_invariant_and_its_holes() {
        let text = "\
/// An item is kept
/// until it is settled.
///
/// Holes: `push`, `settle`.
#[test]
fn keeps_items() {
    gate::check(|| ());
}

/// Not a test.
fn other() {}

#[test]
#[expect(clippy::too_many_lines, reason = \"a story\")]
fn bare() {}
";
        let found = read("laws", text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].id.to_string(), "laws::keeps_items");
        assert_eq!(found[0].invariant, "An item is kept until it is settled.");
        assert_eq!(found[0].holes, ["push", "settle"]);
        assert_eq!((found[1].id.name.as_str(), found[1].invariant.as_str()), ("bare", ""));
    }
}
