//! Mutants: small changes inside the holes, each of which the gate must see.
//!
//! **Invariant.** What cargo-mutants calls missed is a finding, unless the lab lists it in `mutants.txt` with its reason.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;

use anyhow::{Result, bail};

use super::{Bench, Findings};
use crate::compile::cargo;
use crate::hole::Source;
use crate::place::Place;
use crate::process;
use crate::render;
use crate::variant::Variant;

/// Mutants that no test sees. Needs `cargo install cargo-mutants`; minutes a lab.
pub(super) async fn findings(place: &Place, bench: &Bench<'_>) -> Result<Findings> {
    let folder = bench.workspace.lab(&bench.lab.name);
    render::source(bench.lab, Variant::Solution, &folder)?;
    let output = place.root.join("target/mutants").join(&bench.lab.name);
    fs::create_dir_all(&output)?;
    let diff = output.join("holes.diff");
    fs::write(&diff, diff_of_holes(bench)?)?;
    let mut mutants = cargo(&bench.workspace);
    mutants.args(["mutants", "--in-place", "--no-shuffle", "--colors=never", "--package", &bench.lab.name]);
    mutants.arg("--in-diff").arg(&diff).arg("--output").arg(&output);
    mutants.args(["--cargo-arg=--offline", "--", "--test", "gate", "--test", "budget"]);
    mutants.stdin(Stdio::null());
    let ended = process::run(&mut mutants, None, None).await?;
    if ended.stderr.contains("no such command") {
        bail!("cargo-mutants is not there: cargo install cargo-mutants");
    }
    let missed = fs::read_to_string(output.join("mutants.out/missed.txt"));
    let Ok(missed) = missed else { bail!("cargo-mutants gave no result:\n{}{}", ended.stdout, ended.stderr) };
    let excused = fs::read_to_string(bench.lab.folder.join("mutants.txt")).unwrap_or_default();
    let is_excused = |mutant: &str| {
        let what = mutant.split_once(": ").map_or(mutant, |(_, what)| what);
        excused.lines().any(|line| !line.starts_with('#') && line == what)
    };
    Ok(missed
        .lines()
        .filter(|mutant| !is_excused(mutant))
        .map(|mutant| format!("missed: {mutant}"))
        .collect())
}

/// As if all bodies of holes were new.
fn diff_of_holes(bench: &Bench<'_>) -> Result<String> {
    let mut diff = String::new();
    for (path, text) in bench.lab.sources()? {
        let source = Source::split(&text)?;
        let hunks: Vec<_> = source.bodies().collect();
        if hunks.is_empty() {
            continue;
        }
        let name = format!("proving/{}/{}", bench.lab.name, path.display());
        writeln!(diff, "--- a/{name}\n+++ b/{name}")?;
        let mut added = 0;
        for (line, body) in hunks {
            writeln!(diff, "@@ -{},0 +{line},{} @@", line - 1 - added, body.len())?;
            added += body.len();
            for line in body {
                writeln!(diff, "+{}", line.trim_end_matches('\n'))?;
            }
        }
    }
    Ok(diff)
}
