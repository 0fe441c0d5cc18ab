//! `cargo xtask cover`: which lines the tests reach.
//!
//! **Invariant.** It runs the same tests as `cargo xtask test`, against both databases.

use crate::chore::{self, Outcome, cargo};
use crate::run_tests::with_postgres;

/// Runs the tests instrumented and prints a table by file.
pub(crate) fn run() -> Outcome {
    with_postgres(|url| {
        chore::run(cargo().args(["llvm-cov", "nextest", "--workspace", "--locked"]).env("PULSE_TEST_PG", url))
    })
}
