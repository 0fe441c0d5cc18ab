//! `mastery` through its own binary, in copies of a small project.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without")]

mod cheats;
mod learner;
mod mini;
mod prove;
mod stopped;
