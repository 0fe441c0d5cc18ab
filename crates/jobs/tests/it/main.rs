//! Tests of jobs from outside, each on both databases.

#![expect(clippy::unwrap_used, reason = "in a test an error is a failure")]

mod cron;
mod cron_times;
mod database;
mod drain;
mod engine;
mod enqueue;
mod inspect;
mod kill;
mod kit;
mod leases;
mod node;
mod nodes;
mod notify;
mod outage;
mod poison;
mod queues;
mod server;
mod telemetry;
mod unique;
mod upgrade;
mod workers;
