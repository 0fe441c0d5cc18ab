//! The integration tests of this crate: one binary, a module a subject.

#![expect(clippy::unwrap_used, reason = "a test that can not go on should say where")]

mod rules;
mod sample;
