//! `cargo mastery`: the learner's command.
//!
//! **Invariant.** It changes nothing outside `work/` and `target/`, and needs no network.

mod cli;
mod clock;
mod compile;
mod expected;
mod fingerprint;
mod hints;
mod hole;
mod lab;
mod lesson;
mod log;
mod mistake;
mod mutant;
mod place;
mod process;
mod prove;
mod render;
mod screen;
mod service;
mod since;
mod stages;
mod trial;
mod variant;
mod verbs;
mod workspace;

use std::collections::BTreeSet;
use std::process::ExitCode;

use anstream::eprintln;
use anyhow::Result;
use clap::Parser as _;

use crate::cli::{Cli, Verb};
use crate::lab::Lab;
use crate::place::Place;

/// As a shell says it of a program that ctrl-C has ended.
const INTERRUPTED: u8 = 130;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // What runs is dropped at ctrl-C, and takes with it what it has started.
    let done = tokio::select! {
        done = act(cli) => done,
        _ = tokio::signal::ctrl_c() => return ExitCode::from(INTERRUPTED),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{} {error:#}", screen::bad("mastery:"));
            ExitCode::FAILURE
        }
    }
}

/// Whether what was asked for is green.
async fn act(cli: Cli) -> Result<bool> {
    let place = Place::find(&std::env::current_dir()?)?;
    match cli.verb {
        None => verbs::overview::run(&place).map(|()| true),
        Some(Verb::Start { lab, reset }) => {
            verbs::start::run(&place, &Lab::find(&place.root, &lab)?, reset).map(|()| true)
        }
        Some(Verb::Check(asked)) => {
            let lab = verbs::started(&place, asked.lab.as_deref())?;
            let cli::Check { watch, only, seed, again, .. } = asked;
            let options = verbs::check::Options { only, seed, again };
            if watch {
                verbs::check::watch(&place, &lab, &options).await
            } else {
                verbs::check::run(&place, &lab, &options).await
            }
        }
        Some(Verb::Hint { lab, hole }) => {
            verbs::hint::run(&place, &verbs::started(&place, lab.as_deref())?, hole.as_deref()).map(|()| true)
        }
        Some(Verb::Hunt { lab }) => verbs::hunt::run(&place, &verbs::started(&place, lab.as_deref())?).await,
        Some(Verb::Diff { lab, give_up }) => {
            verbs::diff::run(&place, &verbs::started(&place, lab.as_deref())?, give_up).map(|()| true)
        }
        Some(Verb::Doctor) => Ok(verbs::doctor::run(&place)),
        Some(Verb::Prove(asked)) => {
            let mut named = BTreeSet::new();
            let labs: Vec<Lab> = if asked.labs.is_empty() {
                Lab::all(&place.root)?
            } else {
                asked.labs.iter().map(|lab| Lab::find(&place.root, lab)).collect::<Result<_>>()?
            };
            let cli::Prove { times, busy, only, quick, mutants, minutes, since, first, .. } = asked;
            let mut labs: Vec<Lab> = labs.into_iter().filter(|lab| named.insert(lab.name.clone())).collect();
            if let Some(revision) = since.as_ref().or(first.as_ref()) {
                let (changed, same) = since::changed(&place.root, labs, revision)?;
                labs = changed;
                labs.extend(same.into_iter().filter(|_| since.is_none()));
            }
            prove::run(&place, &labs, &prove::Options { times, busy, only, quick, mutants, minutes }).await
        }
    }
}
