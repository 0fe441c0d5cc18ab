//! Right is green: the solution passes everything, again and again.
//!
//! **Invariant.** One red trial of many is a finding: a gate that is red now and then teaches to press the button again.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use super::{Bench, Findings, Options, unbuilt};
use crate::compile;
use crate::screen::first;
use crate::stages::Built;
use crate::variant::Variant;

/// What was red.
pub(super) async fn findings(bench: &Bench<'_>, options: &Options) -> Result<Findings> {
    let built = bench.built(Variant::Solution).await?;
    if let Some(why) = unbuilt(&built) {
        return Ok(vec![why]);
    }
    let mut findings = listed(bench, &built).await?;
    let _busy = options.busy.then(Busy::start);
    for seed in 1..=options.times {
        let verdicts = built.trials(&bench.tests, seed).await?;
        for (test, verdict) in bench.tests.iter().zip(verdicts).filter(|(_, verdict)| !verdict.is_green()) {
            let said = first(verdict.output(), 20);
            findings.push(format!("{} is red on the solution, with seed {seed}\n{said}", test.id));
        }
        if !findings.is_empty() {
            break;
        }
    }
    Ok(findings)
}

/// The tests that were read from the text must be those that the programs hold.
async fn listed(bench: &Bench<'_>, built: &Built<'_>) -> Result<Findings> {
    let mut findings = Findings::new();
    for (target, program) in &built.build.programs {
        let mut held = compile::list(program).await?;
        let own = bench.tests.iter().map(|test| test.id.target()).filter(|(name, _)| name == target);
        let mut read: Vec<_> = own.map(|(_, name)| name).collect();
        held.sort();
        read.sort();
        if held != read {
            findings.push(format!(
                "the program {target} holds {held:?}, and {read:?} were read from the files of the stages"
            ));
        }
    }
    Ok(findings)
}

/// Threads that do nothing but work, for as long as this lives.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            let over = Arc::clone(&over);
            std::thread::spawn(move || {
                let mut n = 0_u64;
                while !over.load(Ordering::Relaxed) {
                    n = black_box(n.wrapping_mul(31).wrapping_add(1));
                }
            });
        }
        Self(over)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
