//! Stored queues, cron entries and uniqueness by period, as the crate of the job queue defines them.
//!
//! **Invariant.** The crate never changes a step that it has released.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0010_job_queues", up, down };

fn up(backend: Backend) -> String {
    (jobs::schema::QUEUES.up)(backend.into())
}

fn down(backend: Backend) -> String {
    (jobs::schema::QUEUES.down)(backend.into())
}
