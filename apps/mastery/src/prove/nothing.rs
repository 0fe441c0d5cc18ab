//! Nothing is red: every single test fails on the skeleton, and on holes that end the process as if all were well.
//!
//! **Invariant.** A test that passes on either proves nothing, and breaks the build.

use anyhow::Result;

use super::{Bench, Findings, unbuilt};
use crate::screen::first;
use crate::trial::Verdict;
use crate::variant::Variant;

/// What was green, hung, or warned.
pub(super) async fn findings(bench: &Bench<'_>, variant: Variant<'_>) -> Result<Findings> {
    let built = bench.built(variant).await?;
    if let Some(why) = unbuilt(&built) {
        return Ok(vec![why]);
    }
    let mut findings = Findings::new();
    for warning in &built.build.warnings {
        findings.push(format!("it compiles with a warning:\n{}", first(warning, 12)));
    }
    let verdicts = built.trials(&bench.tests, 1).await?;
    for (test, verdict) in bench.tests.iter().zip(verdicts) {
        match verdict {
            Verdict::Green => findings.push(format!("{} passes: it is vacuous", test.id)),
            Verdict::Hung(said) => {
                let said = first(&said, 8);
                findings
                    .push(format!("{} hangs: let it see that what it waits for is gone\n{said}", test.id));
            }
            Verdict::Red(_) | Verdict::Left(_) => {}
        }
    }
    Ok(findings)
}
