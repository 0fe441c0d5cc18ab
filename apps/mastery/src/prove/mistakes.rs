//! Known mistakes are red by name.
//!
//! **Invariant.** A mistake is caught by the test that was written for it, with the words that are kept beside it, and by
//! nothing earlier: otherwise what a learner reads is about something else.

use anyhow::Result;

use super::{Bench, Findings, unbuilt};
use crate::mistake::Mistake;
use crate::screen::first;
use crate::trial::{self, Verdict};
use crate::variant::Variant;

/// What was not as it is kept. If it is to be quick, the stages before that of the mistake are believed.
pub(super) async fn findings(bench: &Bench<'_>, mistake: &Mistake, quick: bool) -> Result<Findings> {
    let Some(named) = bench.tests.iter().find(|test| test.id.to_string() == mistake.test) else {
        return Ok(vec![format!("there is no test {}", mistake.test)]);
    };
    let built = bench.built(Variant::Mistake(mistake)).await?;
    if let Some(why) = unbuilt(&built) {
        return Ok(vec![why]);
    }
    let mut findings = Findings::new();
    let stages = &bench.lab.about.stages;
    let place = |stage: &str| stages.iter().position(|name| name == stage);
    let earlier: Vec<_> = bench
        .tests
        .iter()
        .filter(|test| !quick && place(&test.id.stage) < place(mistake.stage()))
        .cloned()
        .collect();
    let verdicts = built.trials(&earlier, 1).await?;
    for (test, verdict) in earlier.iter().zip(verdicts).filter(|(_, verdict)| !verdict.is_green()) {
        findings.push(format!("{} is red already\n{}", test.id, first(verdict.output(), 12)));
    }
    let Some(program) = built.program(&named.id) else {
        return Ok(vec![format!("there is no test program for {}", named.id)]);
    };
    let verdict = trial::one(&program, &named.id, &built.terms(1)).await?;
    let said = verdict.output();
    match &verdict {
        Verdict::Green => findings.push(format!("{} is green", named.id)),
        _ if !said.contains(&mistake.verdict) => {
            findings.push(format!("{} does not say '{}'\n{}", named.id, mistake.verdict, first(said, 20)));
        }
        _ => {}
    }
    Ok(findings)
}
