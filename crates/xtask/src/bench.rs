//! `cargo xtask bench`: every benchmark in turn, with the databases that they need.
//!
//! **Invariant.** A benchmark prints its own figures and asserts no time; what ran, when and where stands above them.

use std::process::Command;

use crate::chore::{self, Outcome, cargo, output};
use crate::run_tests::with_postgres;

/// Name for people, package, bench target.
const BENCHES: [(&str, &str, &str); 15] = [
    ("otp", "otp", "otp"),
    ("channels", "channels", "channels"),
    ("live", "live", "diff"),
    ("pipeline", "pipeline", "pipeline"),
    ("carts", "pulse_fleet", "carts"),
    ("checkout", "pulse_data", "checkout"),
    ("http", "pulse_web", "http"),
    ("pages", "pulse", "live"),
    ("ingest", "pulse_ingest", "ingest"),
    ("replay", "pulse_ingest", "replay"),
    ("jobs", "jobs", "jobs"),
    ("csv", "labs_csv_stats", "csv"),
    ("mailbox", "labs_mailbox_kv", "mailbox"),
    ("counters", "labs_counter_ttl", "counters"),
    ("sessions", "labs_session_workers", "sessions"),
];

/// Runs the named benchmarks, or all.
pub(crate) fn run(names: &[&str]) -> Outcome {
    if let Some(unknown) = names.iter().find(|name| !BENCHES.iter().any(|(known, ..)| known == *name)) {
        return Err(format!(
            "bench {unknown}: use otp, channels, live, pipeline, carts, checkout, http, pages, ingest, replay, jobs, csv, mailbox, counters or sessions"
        ));
    }
    with_postgres(|url| {
        eprintln!("{}", machine()?);
        for (name, package, target) in BENCHES {
            if names.is_empty() || names.contains(&name) {
                eprintln!("\n== {name}");
                let mut bench = cargo();
                bench.args(["bench", "--locked", "--quiet", "--package", package, "--bench", target]);
                chore::run(bench.env("PULSE_TEST_PG", url))?;
            }
        }
        Ok(())
    })
}

/// Date, processor, cores and load, for the head of the table.
fn machine() -> Outcome<String> {
    let date = output(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]))?;
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let models: Vec<&str> = cpuinfo.lines().filter_map(|line| line.strip_prefix("model name")).collect();
    let model = models.first().map_or("unknown processor", |line| line.trim_start_matches([' ', '\t', ':']));
    Ok(format!("{} | {} x {model} | load {}", date.trim(), models.len(), read("/proc/loadavg").trim()))
}
