//! Carts: one row each, replaced under its version.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0002_carts", up, down };

fn up(backend: Backend) -> String {
    // SQLite keeps the rowid: rows this wide in the id's own tree make a save a fifth dearer. PostgreSQL leaves
    // room in each page, so that a save replaces its row in place and touches no index.
    let storage = match backend {
        Backend::Sqlite => "",
        Backend::Postgres => "WITH (fillfactor = 70)",
    };
    format!(
        "CREATE TABLE carts (
            id TEXT NOT NULL,
            version BIGINT NOT NULL,
            currency TEXT NOT NULL,
            body TEXT NOT NULL,
            recent TEXT NOT NULL,
            CONSTRAINT pk_carts PRIMARY KEY (id),
            CONSTRAINT ck_carts_id CHECK (length(id) = 32),
            CONSTRAINT ck_carts_version CHECK (version >= 1)
        ) {storage}"
    )
}

fn down(_: Backend) -> String {
    "DROP TABLE carts".to_owned()
}
