//! The audit trail and its seals.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0005_audit", up, down };

fn up(backend: Backend) -> String {
    match backend {
        Backend::Sqlite | Backend::Postgres => String::new(),
    }
}

fn down(_: Backend) -> String {
    String::new()
}
