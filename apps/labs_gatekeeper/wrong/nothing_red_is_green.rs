//! Looks for red, finds none, and is green: half of it was never run.
//!
//! test: behaviour::a_gate_that_was_stopped_is_not_green
//! verdict: it was stopped, and its exit code is 0
//>> code
        u8::from(self.results.iter().any(|result| result.verdict.is_red()))
//<<
