//! The budgets of `labs_gatekeeper`. All are counts: the same on any machine.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use labs_gatekeeper::{Kept, Plan, Schedule, Verdict};

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;

const LAB: &str = include_str!("../lab.toml");

/// Runs a schedule on a clock of its own: each check takes as long as `time` says. Returns when all was over, and how many
/// were started after the first red one.
fn played(plan: &Plan, jobs: usize, time: impl Fn(&str) -> u32, red: &str) -> (u32, usize) {
    let mut schedule = Schedule::new(plan, jobs, false);
    let (mut now, mut late, mut seen_red) = (0, 0, false);
    let mut ends: BTreeSet<(u32, usize)> = BTreeSet::new();
    loop {
        for place in schedule.start() {
            late += usize::from(seen_red);
            ends.insert((now + time(&plan.checks()[place].name), place));
        }
        let Some((at, place)) = ends.pop_first() else { break };
        now = at;
        let name = &plan.checks()[place].name;
        seen_red |= name == red;
        let verdict = if name == red { Verdict::Failed { code: 1 } } else { Verdict::Passed };
        for stopped in schedule.ended(place, verdict) {
            ends.retain(|&(_, running)| running != stopped);
            ends.insert((now, stopped));
        }
    }
    assert!(schedule.is_over(), "nothing runs, and it is not over");
    (now, late)
}

fn shop() -> Plan {
    let mut toml = String::new();
    for name in ["format", "licences", "tidy"] {
        let _ = writeln!(toml, "[[check]]\nname = {name:?}\nrun = [\"true\"]");
    }
    toml += "[[check]]\nname = \"build\"\nrun = [\"true\"]\nlock = \"target\"\n";
    for name in ["unit", "laws", "browser"] {
        let _ = writeln!(toml, "[[check]]\nname = {name:?}\nrun = [\"true\"]\nneeds = [\"build\"]");
    }
    Plan::read(&toml).expect("a plan")
}

fn minutes(name: &str) -> u32 {
    if name == "build" { 100 } else { 15 }
}

/// The gate takes little longer than the build that it can't do without: what can run beside it, does.
///
/// Hole: `start`.
#[test]
fn the_gate_takes_little_longer_than_its_build() {
    gate::check(|| {
        let (all, _) = played(&shop(), 4, minutes, "");
        let (builds, limit) = (f64::from(all) / 100.0, gate::limit(LAB, "runtime_of_builds"));
        assert!(builds <= limit, "it takes {builds:.2} builds; the limit is {limit}");
    });
}

/// After a red check nothing more is started.
///
/// Hole: `ended`.
#[test]
fn nothing_is_started_after_a_red_check() {
    gate::check(|| {
        for jobs in 1..4 {
            for red in ["format", "licences", "build", "unit"] {
                let (_, late) = played(&shop(), jobs, minutes, red);
                let late = u32::try_from(late).unwrap_or(u32::MAX);
                let limit = gate::limit(LAB, "starts_after_a_red");
                assert!(
                    f64::from(late) <= limit,
                    "{late} checks were started after {red} was red, on {jobs} jobs"
                );
            }
        }
    });
}

/// However much a check prints, what is held of it stays within the bound.
///
/// Hole: `keep`.
#[test]
fn output_is_held_within_its_bound() {
    gate::check(|| {
        let bound = 100_000;
        let (kept, cost) = gate::alloc::here(|| {
            let mut kept = Kept::new(bound);
            for _ in 0..1_000 {
                kept.push(&[b'x'; 8_192]);
            }
            kept
        });
        assert_eq!(kept.left_out(), 8_192_000 - 100_000, "bytes that are counted and not held");
        let limit = gate::limit(LAB, "kept_of_the_bound");
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let used = cost.peak as f64 / bound as f64;
        assert!(used <= limit, "a peak of {used:.2} bounds for 8 MB of output; the limit is {limit}");
    });
}
