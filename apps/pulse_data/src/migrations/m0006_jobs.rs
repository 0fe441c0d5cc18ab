//! The job queue's table, as its crate defines it.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0006_jobs", up, down };

fn up(backend: Backend) -> String {
    jobs::schema::up(backend.into())
}

fn down(backend: Backend) -> String {
    jobs::schema::down(backend.into())
}
