//! What a learner can ask for, a file each.
//!
//! **Invariant.** Every verb says at its end what one can do next.

pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod hint;
pub(crate) mod hunt;
pub(crate) mod overview;
pub(crate) mod start;

use anyhow::{Result, bail};

use crate::lab::Lab;
use crate::log::Log;
use crate::place::Place;

/// The lab that is meant: by name, by the folder one is in, or the one that was worked on last.
pub(crate) fn meant(place: &Place, name: Option<&str>) -> Result<Lab> {
    let log = Log::read(&place.log())?;
    let here = place.lab_here();
    match name.or(here.as_deref()).or(log.latest_lab()) {
        Some(name) => Lab::find(&place.root, name),
        None => bail!("which lab? `cargo mastery` shows all, `cargo mastery start LAB` begins one"),
    }
}

/// The same, if it was started.
pub(crate) fn started(place: &Place, name: Option<&str>) -> Result<Lab> {
    let lab = meant(place, name)?;
    if !place.work().join(&lab.name).join("src").is_dir() {
        bail!("{} is not started: cargo mastery start {0}", lab.name);
    }
    Ok(lab)
}
