//! Products, promotions, deliveries.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0001_catalog", up, down };

fn up(backend: Backend) -> String {
    match backend {
        Backend::Sqlite | Backend::Postgres => String::new(),
    }
}

fn down(_: Backend) -> String {
    String::new()
}
