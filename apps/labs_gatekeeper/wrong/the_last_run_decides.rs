//! Overwrites the verdict with each run.
//!
//! test: behaviour::a_planted_flaky_test_is_found
//! verdict: one of five runs failed, and the verdict is Passed
//>> agree
    runs.last().cloned().unwrap_or(Verdict::NotStarted { reason: "it was run no times".to_owned() })
//<<
