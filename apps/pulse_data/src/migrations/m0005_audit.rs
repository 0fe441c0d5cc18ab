//! The audit trail: rows as they were written, their place in the sealed chain, and the chain's head.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0005_audit", up, down };

fn up(backend: Backend) -> String {
    let id = match backend {
        Backend::Sqlite => "INTEGER CONSTRAINT pk_audit_log PRIMARY KEY AUTOINCREMENT",
        Backend::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit_log PRIMARY KEY",
    };
    format!(
        "CREATE TABLE audit_log (
            id {id},
            at BIGINT NOT NULL,
            who TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            details TEXT NOT NULL,
            -- The place in the chain, given after the commit; and the chain's hash up to here, in hexadecimal.
            seal_no BIGINT,
            hash TEXT,
            CONSTRAINT uq_audit_log_seal_no UNIQUE (seal_no),
            CONSTRAINT ck_audit_log_sealed CHECK ((seal_no IS NULL) = (hash IS NULL))
        );
        CREATE INDEX ix_audit_log_unsealed ON audit_log (id) WHERE seal_no IS NULL;
        CREATE INDEX ix_audit_log_subject_id ON audit_log (subject, id);
        -- One row: where the chain ends. Whoever seals holds its lock.
        CREATE TABLE audit_head (
            id INTEGER NOT NULL CONSTRAINT pk_audit_head PRIMARY KEY,
            seal_no BIGINT NOT NULL,
            hash TEXT NOT NULL,
            CONSTRAINT ck_audit_head_id CHECK (id = 1)
        );
        INSERT INTO audit_head (id, seal_no, hash) VALUES (1, 0, '{zero}')",
        zero = "0".repeat(64),
    )
}

fn down(_: Backend) -> String {
    "DROP TABLE audit_head; DROP TABLE audit_log".to_owned()
}
