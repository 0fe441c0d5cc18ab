//! Feeds: what suppliers and partners send, how far each is, what it changed, and the rows that can't be used.
//!
//! **Invariant.** A feed is known by its source and its content; a row of it is dealt with once; a row that can't be used
//! is kept with its reason until somebody mends or drops it.

use super::Migration;
use super::m0001_catalog::spell;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0012_feeds", up, down };

fn up(backend: Backend) -> String {
    let blob = match backend {
        Backend::Sqlite => "BLOB",
        Backend::Postgres => "BYTEA",
    };
    spell(backend, UP).replace("{blob}", blob)
}

fn down(_: Backend) -> String {
    DOWN.to_owned()
}

const UP: &str = "
CREATE TABLE feeds (
    id         {id} NOT NULL,
    -- Whose it is: a supplier, a partner.
    source     TEXT {bytes} NOT NULL,
    kind       TEXT   NOT NULL,
    -- A file, a posted body, or a stream.
    origin     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    -- What it is known by: the SHA-256 of its content, or the name of a stream.
    content    TEXT {bytes} NOT NULL,
    format     TEXT   NOT NULL,
    -- The header of a CSV file, as a JSON list.
    columns    TEXT   NOT NULL,
    fed_by     TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    -- Rows that are dealt with, as ranges: 1-5000,5003.
    seen       TEXT   NOT NULL,
    -- Counts batches: whoever applies one names the version that it has seen.
    version    BIGINT NOT NULL,
    row_count  BIGINT NOT NULL,
    changed    BIGINT NOT NULL,
    unchanged  BIGINT NOT NULL,
    dead       BIGINT NOT NULL,
    -- The time of its rows that have none of their own.
    fed_at     BIGINT NOT NULL,
    began_at   BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    -- Why it was refused as a whole.
    why        TEXT,
    CONSTRAINT pk_feeds PRIMARY KEY (id),
    CONSTRAINT uq_feeds_source_kind_content UNIQUE (source, kind, content),
    CONSTRAINT ck_feeds_source CHECK (length(source) BETWEEN 1 AND 60),
    CONSTRAINT ck_feeds_kind CHECK (kind IN ('catalogue', 'prices', 'stock', 'orders')),
    CONSTRAINT ck_feeds_origin CHECK (origin IN ('file', 'post', 'stream')),
    CONSTRAINT ck_feeds_format CHECK (format IN ('csv', 'ndjson')),
    CONSTRAINT ck_feeds_state CHECK (state IN ('waiting', 'running', 'done', 'refused')
        AND (state = 'refused') = (why IS NOT NULL)),
    CONSTRAINT ck_feeds_row_count CHECK (row_count = changed + unchanged + dead AND dead >= 0)
);
CREATE INDEX ix_feeds_touched_at ON feeds (touched_at, id);
CREATE INDEX ix_feeds_waiting ON feeds (id) WHERE state = 'waiting';

CREATE TABLE feed_batches (
    feed_id    BIGINT NOT NULL,
    -- The feed's version that it made.
    batch_no   BIGINT NOT NULL,
    applied_at BIGINT NOT NULL,
    -- What was changed from what to what, deflated JSON; its SHA-256 stands in the audit trail.
    changes    {blob} NOT NULL,
    CONSTRAINT pk_feed_batches PRIMARY KEY (feed_id, batch_no),
    CONSTRAINT fk_feed_batches_feed_id FOREIGN KEY (feed_id) REFERENCES feeds (id)
);
CREATE INDEX ix_feed_batches_applied_at ON feed_batches (applied_at);

CREATE TABLE feed_letters (
    id        {id} NOT NULL,
    feed_id   BIGINT NOT NULL,
    row_no    BIGINT NOT NULL,
    -- Where the row begins in its file; 0 where it is of none.
    line_no   BIGINT NOT NULL,
    reason    TEXT {bytes} NOT NULL,
    -- Every fault of the row: a JSON list of reason, field and words.
    faults    TEXT   NOT NULL,
    payload   {blob} NOT NULL,
    -- Whether the payload is only the beginning of the row.
    cut       BOOLEAN NOT NULL,
    -- What somebody made of it.
    mended    {blob},
    state     TEXT   NOT NULL,
    tries     BIGINT NOT NULL,
    buried_at BIGINT NOT NULL,
    tried_at  BIGINT,
    closed_by TEXT,
    CONSTRAINT pk_feed_letters PRIMARY KEY (id),
    CONSTRAINT uq_feed_letters_feed_id_row_no UNIQUE (feed_id, row_no),
    CONSTRAINT fk_feed_letters_feed_id FOREIGN KEY (feed_id) REFERENCES feeds (id),
    CONSTRAINT ck_feed_letters_state CHECK (state IN ('open', 'replayed', 'discarded')
        AND (state = 'open') = (closed_by IS NULL))
);
CREATE INDEX ix_feed_letters_open ON feed_letters (reason, id) WHERE state = 'open';
CREATE INDEX ix_feed_letters_feed_id_state ON feed_letters (feed_id, state, id);

-- Bodies that were posted and wait.
CREATE TABLE feed_bodies (
    feed_id BIGINT NOT NULL,
    body    {blob} NOT NULL,
    CONSTRAINT pk_feed_bodies PRIMARY KEY (feed_id),
    CONSTRAINT fk_feed_bodies_feed_id FOREIGN KEY (feed_id) REFERENCES feeds (id)
);

-- When the stock was last counted by a feed: an older count does not replace it.
ALTER TABLE products ADD COLUMN counted_at BIGINT NOT NULL DEFAULT 0;
";

const DOWN: &str = "
ALTER TABLE products DROP COLUMN counted_at;
DROP TABLE feed_bodies;
DROP TABLE feed_letters;
DROP TABLE feed_batches;
DROP TABLE feeds;
";
