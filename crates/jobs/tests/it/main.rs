//! Tests of jobs from outside, each on both databases.

mod database;
mod engine;
mod enqueue;
