//! What buyers ask to give back, and what the shop answers.
//!
//! **Invariant.** An order has one open request at most; a decided one says when, by whom, and with which credit note
//! or for which reason.

use super::Migration;
use super::m0001_catalog::spell;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0009_return_requests", up, down };

fn up(backend: Backend) -> String {
    spell(backend, UP)
}

fn down(_: Backend) -> String {
    DOWN.to_owned()
}

const UP: &str = "
CREATE TABLE return_requests (
    id         {id} NOT NULL,
    order_id   BIGINT NOT NULL,
    -- The order's buyer: whose list it stands in.
    buyer      BIGINT NOT NULL,
    reason     TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    asked_at   BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT,
    -- The credit note of an accepted one.
    note_id    BIGINT,
    -- Why it was declined.
    answer     TEXT,
    CONSTRAINT pk_return_requests PRIMARY KEY (id),
    CONSTRAINT fk_return_requests_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT fk_return_requests_note_id FOREIGN KEY (note_id) REFERENCES credit_notes (id),
    CONSTRAINT ck_return_requests_reason CHECK (length(reason) BETWEEN 1 AND 500),
    CONSTRAINT ck_return_requests_answer CHECK (length(answer) BETWEEN 1 AND 500),
    CONSTRAINT ck_return_requests_state CHECK (state IN ('open', 'accepted', 'declined')
        AND (state = 'open') = (decided_at IS NULL)
        AND (state = 'open') = (decided_by IS NULL)
        AND (state = 'accepted') = (note_id IS NOT NULL)
        AND (state = 'declined') = (answer IS NOT NULL))
);
CREATE INDEX ix_return_requests_order_id ON return_requests (order_id, id);
CREATE INDEX ix_return_requests_buyer ON return_requests (buyer, id);
CREATE UNIQUE INDEX uq_return_requests_open ON return_requests (order_id) WHERE state = 'open';

CREATE TABLE return_request_lines (
    request_id BIGINT NOT NULL,
    line_no    BIGINT NOT NULL,
    pieces     BIGINT NOT NULL,
    CONSTRAINT pk_return_request_lines PRIMARY KEY (request_id, line_no),
    CONSTRAINT fk_return_request_lines_request_id FOREIGN KEY (request_id) REFERENCES return_requests (id),
    CONSTRAINT ck_return_request_lines_pieces CHECK (pieces >= 1)
) {by_key};
";

const DOWN: &str = "
DROP TABLE return_request_lines;
DROP TABLE return_requests;
";
