//! Files that were fed in, and dead letters.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0007_imports", up, down };

fn up(backend: Backend) -> String {
    match backend {
        Backend::Sqlite | Backend::Postgres => String::new(),
    }
}

fn down(_: Backend) -> String {
    String::new()
}
