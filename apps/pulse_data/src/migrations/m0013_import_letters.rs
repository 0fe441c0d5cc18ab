//! Dead letters of imports that somebody has looked at: by whom and when they were dismissed, and why.
//!
//! **Invariant.** A dismissed letter says who, when and why; an open one says none of it. Nothing else closes a letter: its
//! row stands in a file that is replayed, not in what was kept of it.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0013_import_letters", up, down };

fn up(_: Backend) -> String {
    UP.to_owned()
}

fn down(_: Backend) -> String {
    DOWN.to_owned()
}

const UP: &str = "
ALTER TABLE dead_letters ADD COLUMN note TEXT
    CONSTRAINT ck_dead_letters_note CHECK (length(note) BETWEEN 1 AND 200);
ALTER TABLE dead_letters ADD COLUMN closed_by TEXT;
ALTER TABLE dead_letters ADD COLUMN closed_at BIGINT
    CONSTRAINT ck_dead_letters_closed_at CHECK ((closed_at IS NULL) = (closed_by IS NULL)
        AND (closed_at IS NULL) = (note IS NULL));
CREATE INDEX ix_dead_letters_open ON dead_letters (reason, file_id, row_no) WHERE closed_at IS NULL;
";

// The check goes with the last column, so that column goes first.
const DOWN: &str = "
DROP INDEX ix_dead_letters_open;
ALTER TABLE dead_letters DROP COLUMN closed_at;
ALTER TABLE dead_letters DROP COLUMN closed_by;
ALTER TABLE dead_letters DROP COLUMN note;
";
