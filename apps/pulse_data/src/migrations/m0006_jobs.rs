//! The job queue's table, as its crate defines it.
//!
//! **Invariant.** The crate never changes a step that it has released.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0006_jobs", up, down };

fn up(backend: Backend) -> String {
    (jobs::schema::JOBS.up)(backend.into())
}

fn down(backend: Backend) -> String {
    (jobs::schema::JOBS.down)(backend.into())
}
