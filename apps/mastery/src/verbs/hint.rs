//! `mastery hint`: the next hint for the hole that fails now.
//!
//! **Invariant.** A hint is never refused, and always in the log.

use std::fs;

use anstream::println;
use anyhow::{Context as _, Result, bail};

use crate::hints;
use crate::hole::Source;
use crate::lab::Lab;
use crate::log::{Did, Log};
use crate::place::Place;
use crate::screen::{bold, dim, wrapped};

/// Gives it.
pub(crate) fn run(place: &Place, lab: &Lab, asked: Option<&str>) -> Result<()> {
    let path = lab.folder.join("hints.md");
    let all =
        hints::read(&fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?);
    let log = Log::read(&place.log())?;
    let hole = match asked {
        Some(hole) => hole.to_owned(),
        None => match failing(&log, lab).map_or_else(|| first_empty(place, lab), |hole| Ok(Some(hole)))? {
            Some(hole) => hole,
            None if unbuilt(&log, lab) => {
                bail!("{} does not build: the compiler's first error comes before any hole", lab.name)
            }
            None => bail!("no hole of {} is empty or red: cargo mastery check {0}", lab.name),
        },
    };
    let Some(hints) = all.get(&hole) else {
        let names: Vec<_> = all.keys().map(String::as_str).collect();
        bail!("{} has no hole {hole}; it has {}", lab.name, names.join(", "));
    };
    let given = log.hints(&lab.name, &hole);
    let number = (given + 1).min(hints.len());
    println!("{} {}", bold(&hole), dim(format!("hint {number} of {}", hints.len())));
    if let Some(hint) = hints.get(number.saturating_sub(1)) {
        println!("\n{}\n", wrapped(hint, 2));
    }
    if given >= hints.len() {
        println!(
            "{}",
            dim(format!(
                "that was the last one; cargo mastery diff {} --give-up shows the solution",
                lab.name
            ))
        );
    }
    Log::append(&place.log(), &lab.name, Did::Hinted { hole, number })
}

/// The hole that the last check was red about.
fn failing(log: &Log, lab: &Lab) -> Option<String> {
    log.of(&lab.name).find_map(|entry| match &entry.did {
        Did::Checked { hole, .. } => Some(hole.clone()),
        Did::Started { .. } => Some(None),
        _ => None,
    })?
}

/// Whether the last check did not come to the tests.
fn unbuilt(log: &Log, lab: &Lab) -> bool {
    let last = log.of(&lab.name).find_map(|entry| match &entry.did {
        Did::Checked { red, .. } => Some(red.as_deref() == Some("builds")),
        _ => None,
    });
    last == Some(true)
}

/// The first hole, in the order of the tests, that is a `todo!` still.
fn first_empty(place: &Place, lab: &Lab) -> Result<Option<String>> {
    let mut empty = Vec::new();
    for path in crate::lab::files_under(&place.work().join(&lab.name).join("src"))? {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let Ok(source) = Source::split(&text) else { continue };
        let todo = |hole: &crate::hole::Hole<'_>| hole.body().trim_start().starts_with("todo!(");
        empty.extend(source.holes().filter(|hole| todo(hole)).map(|hole| hole.name.to_owned()));
    }
    let order = lab.expected()?.into_iter().flat_map(|test| test.holes);
    Ok(order.into_iter().find(|hole| empty.contains(hole)))
}
