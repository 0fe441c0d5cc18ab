//! `mastery`: one screen with every lab, and what is next.
//!
//! **Invariant.** A pass of other code, or of another gate, is shown as changed since, never as lost. What is next is what was
//! worked on last, as long as it is not green.

use anstream::println;
use anyhow::Result;

use crate::fingerprint::Fingerprints;
use crate::lab::Lab;
use crate::log::{Log, Standing};
use crate::place::Place;
use crate::screen::{bold, dim, good, wrapped};

/// A lab, and whether it is in the learner's folder already.
type Next<'l> = Option<(&'l Lab, bool)>;

/// Shows it.
pub(crate) fn run(place: &Place) -> Result<()> {
    let (labs, log) = (Lab::all(&place.root)?, Log::read(&place.log())?);
    let latest = log.latest();
    let (mut next, mut at_hand): (Next<'_>, Next<'_>) = (None, None);
    println!("{}", bold("Systems Mastery"));
    println!();
    for lab in &labs {
        let standing = log.standing(&lab.name);
        let (sign, word) = match &standing {
            Standing::New => ("·", String::new()),
            Standing::Started(None) => ("○", "started".to_owned()),
            Standing::Started(Some(stage)) => ("○", format!("red: {stage}")),
            Standing::GaveUp => ("-", "given up".to_owned()),
            Standing::Passed(of) if Fingerprints::of(place, lab)? == *of => ("✓", "passed".to_owned()),
            Standing::Passed(_) => ("~", "changed since".to_owned()),
        };
        let is_open = !matches!(standing, Standing::Passed(_) | Standing::GaveUp);
        // One that was deleted is begun anew.
        let is_there = standing != Standing::New && place.work().join(&lab.name).is_dir();
        let is_at_hand = is_there && (is_open || sign == "~") && latest == Some(lab.name.as_str());
        if is_open && next.is_none_or(|(_, is_started)| !is_started && is_there) {
            next = Some((lab, is_there));
        }
        if is_at_hand {
            at_hand = Some((lab, true));
        }
        let line = format!(
            "{sign} {:<4} {:<20} {:<36} ",
            lab.about.milestone,
            lab.name,
            shortened(&lab.about.title, 36)
        );
        match sign {
            "✓" => println!("{}{}", good(line), good(word)),
            "·" => println!("{}", line.trim_end()),
            _ => println!("{line}{word}"),
        }
    }
    println!();
    let next = at_hand.or(next);
    match next {
        Some((lab, true)) => println!("next: {}", bold(format!("cargo mastery check {}", lab.name))),
        Some((lab, false)) => println!("next: {}", bold(format!("cargo mastery start {}", lab.name))),
        None if labs.is_empty() => println!("There are no labs under apps/."),
        None => println!(
            "{}",
            wrapped("All labs are passed. Where each idea is in production: docs/roadmap.md.", 0)
        ),
    }
    if let Some((lab, _)) = next {
        let missing: Vec<_> = lab
            .about
            .needs
            .iter()
            .filter(|need| !matches!(log.standing(need), Standing::Passed(_)))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            println!("{}", dim(format!("it builds on {}", missing.join(", "))));
        }
    }
    Ok(())
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
