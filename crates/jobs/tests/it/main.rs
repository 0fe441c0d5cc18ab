//! Tests of jobs from outside, each on both databases.

#![expect(clippy::unwrap_used, reason = "in a test an error is a failure")]

mod database;
mod engine;
mod enqueue;
