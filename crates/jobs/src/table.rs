//! The engine's statements, one file a purpose.
//!
//! **Invariant.** A row is acknowledged only under the fence (id, attempt, node, `executing`): an attempt that has
//! lost its lease changes nothing. Every statement is atomic by itself and touches a bounded number of rows.

mod acks;
mod cron;
mod leases;
mod sweep;
mod take;

pub(crate) use acks::acknowledge;
pub(crate) use cron::{Fired, declare, fire, last_ticks, lead, resign};
pub(crate) use leases::{Mine, renew, rescue, settle_down};
pub(crate) use sweep::{SWEEP, prune, stage};
pub(crate) use take::{Taken, take};

use sea_orm::DbBackend;

/// That a row runs, for statements that find it by its number: a job has a lease exactly while it runs, by a constraint of
/// the table. Said with the state's name, a database whose statistics are from a quiet moment would rather go through the
/// index of leases, all of it for each number (seen: 50 times slower).
const EXECUTING: &str = "jobs.lease_until IS NOT NULL";

/// A choice of rows that another node is not working on at the moment. `MATERIALIZED` pins it: a plain subquery may be
/// evaluated again and would lock more than it returns.
fn picked(backend: DbBackend, select: &str) -> String {
    match backend {
        DbBackend::Postgres => {
            format!("WITH p AS MATERIALIZED ({select} FOR UPDATE SKIP LOCKED) SELECT id FROM p")
        }
        _ => select.to_owned(),
    }
}

/// Appends one JSON object to the text of a JSON array, the same way on both databases. `error` is an SQL expression.
fn append(error: &str) -> String {
    format!(
        "CASE WHEN errors = '[]' THEN '[' || {error} || ']' \
         ELSE substr(errors, 1, length(errors) - 1) || ',' || {error} || ']' END"
    )
}
