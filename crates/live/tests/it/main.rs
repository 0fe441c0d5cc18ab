//! The parts of a live page, each from the outside.
#![expect(clippy::unwrap_used, reason = "a test's helper may fail as its test does")]

mod forms;
mod tokens;
