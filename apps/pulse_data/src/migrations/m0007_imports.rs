//! Files that were fed in, their dead letters, and the customers that were seen in them.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0007_imports", up, down };

fn up(backend: Backend) -> String {
    let (id, by_key) = match backend {
        Backend::Sqlite => ("INTEGER", "WITHOUT ROWID"),
        Backend::Postgres => ("BIGINT GENERATED ALWAYS AS IDENTITY", ""),
    };
    // A file is known by its content: the same rows under another name are the same file.
    format!(
        "CREATE TABLE import_files (
            id           {id} NOT NULL,
            hash         TEXT   NOT NULL,
            name         TEXT   NOT NULL,
            state        TEXT   NOT NULL,
            row_count    BIGINT NOT NULL DEFAULT 0,
            sale_lines   BIGINT NOT NULL DEFAULT 0,
            return_lines BIGINT NOT NULL DEFAULT 0,
            began_at     BIGINT NOT NULL,
            done_at      BIGINT,
            CONSTRAINT pk_import_files PRIMARY KEY (id),
            CONSTRAINT uq_import_files_hash UNIQUE (hash),
            CONSTRAINT ck_import_files_hash CHECK (length(hash) = 64),
            CONSTRAINT ck_import_files_state CHECK (state IN ('begun', 'done'))
        );
        CREATE TABLE dead_letters (
            file_id BIGINT NOT NULL,
            row_no  BIGINT NOT NULL,
            reason  TEXT   NOT NULL,
            payload TEXT   NOT NULL,
            CONSTRAINT pk_dead_letters PRIMARY KEY (file_id, row_no),
            CONSTRAINT fk_dead_letters_file_id FOREIGN KEY (file_id) REFERENCES import_files (id),
            CONSTRAINT ck_dead_letters_row_no CHECK (row_no >= 1)
        ) {by_key};
        CREATE TABLE import_customers (
            customer BIGINT NOT NULL,
            CONSTRAINT pk_import_customers PRIMARY KEY (customer)
        )"
    )
}

fn down(_: Backend) -> String {
    "DROP TABLE import_customers; DROP TABLE dead_letters; DROP TABLE import_files".to_owned()
}
