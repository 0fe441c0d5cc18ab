//! Orders, lines, payments, credit notes.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0003_orders", up, down };

fn up(backend: Backend) -> String {
    match backend {
        Backend::Sqlite | Backend::Postgres => String::new(),
    }
}

fn down(_: Backend) -> String {
    String::new()
}
