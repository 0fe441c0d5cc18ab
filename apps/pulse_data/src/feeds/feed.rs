//! A feed: whose it is, what it is known by, how far it is.
//!
//! **Invariant.** Every name that is stored is that of a variant here; whatever is found in its place is corrupt.

use pulse_core::Timestamp;
use sea_orm::QueryResult;

use super::Seen;
use crate::DbError;

/// An enum whose variants are stored by name.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$of])* $variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that is stored and shown.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The one of a stored name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named! {
    /// What a feed tells of.
    Kind {
        /// Products.
        Catalogue => "catalogue",
        /// Prices of products.
        Prices => "prices",
        /// Pieces of products.
        Stock => "stock",
        /// What became of orders, and orders that were placed elsewhere.
        Orders => "orders",
    }
}

named! {
    /// How a feed came.
    Origin {
        /// A file.
        File => "file",
        /// A body that was posted.
        Post => "post",
        /// A stream of messages, which has no end.
        Stream => "stream",
    }
}

named! {
    /// How its rows are written.
    Format {
        /// A header, then rows with commas between their fields (RFC 4180).
        Csv => "csv",
        /// One JSON object a line.
        Ndjson => "ndjson",
    }
}

named! {
    /// Where a feed stands.
    FeedState {
        /// It was posted and was not begun.
        Waiting => "waiting",
        /// It was begun, and is not at its end.
        Running => "running",
        /// All of its rows are dealt with.
        Done => "done",
        /// It can't be used as a whole.
        Refused => "refused",
    }
}

/// What became of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows that changed something.
    pub changed: u64,
    /// Rows that said what was known, or was no longer so.
    pub unchanged: u64,
    /// Rows that became dead letters.
    pub dead: u64,
}

impl Counts {
    /// All rows that are dealt with.
    pub const fn rows(&self) -> u64 {
        self.changed + self.unchanged + self.dead
    }

    /// These and those.
    pub const fn plus(self, more: Self) -> Self {
        Self {
            changed: self.changed + more.changed,
            unchanged: self.unchanged + more.unchanged,
            dead: self.dead + more.dead,
        }
    }
}

/// A feed that is to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFeed {
    /// Whose it is: 1 to 60 characters.
    pub source: String,
    /// What it tells of.
    pub kind: Kind,
    /// How it came.
    pub origin: Origin,
    /// What people call it.
    pub name: String,
    /// What it is known by, together with its source: the SHA-256 of its content, or the name of a stream.
    pub content: String,
    /// How its rows are written.
    pub format: Format,
    /// The header of a CSV file.
    pub columns: Vec<String>,
    /// The time of its rows that have none of their own; now, where absent. One that was begun before keeps its own.
    pub fed_at: Option<Timestamp>,
}

/// A feed that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its number here.
    pub id: i64,
    /// Whose it is.
    pub source: String,
    /// What it tells of.
    pub kind: Kind,
    /// How it came.
    pub origin: Origin,
    /// Under which name it came first.
    pub name: String,
    /// How its rows are written.
    pub format: Format,
    /// The header of a CSV file.
    pub columns: Vec<String>,
    /// Who fed it.
    pub fed_by: String,
    /// Where it stands.
    pub state: FeedState,
    /// Which rows are dealt with.
    pub seen: Seen,
    /// Counts its batches.
    pub version: i64,
    /// What became of its rows.
    pub counts: Counts,
    /// The time of its rows that have none of their own.
    pub fed_at: Timestamp,
    /// When it was begun.
    pub began_at: Timestamp,
    /// When something became of it last.
    pub touched_at: Timestamp,
    /// Why it was refused as a whole.
    pub why: Option<String>,
}

/// What [`read`] needs, in its order.
pub(super) const COLUMNS: &str = "id, source, kind, origin, name, format, columns, fed_by, state, seen, version, \
                                  changed, unchanged, dead, fed_at, began_at, touched_at, why";

/// A feed from a row of [`COLUMNS`].
pub(super) fn read(row: &QueryResult) -> Result<Feed, DbError> {
    let text = |at: usize| -> Result<String, DbError> { Ok(row.try_get_by_index(at)?) };
    let time = |at: usize| -> Result<Timestamp, DbError> { Ok(Timestamp(row.try_get_by_index(at)?)) };
    let columns = text(6)?;
    let columns = serde_json::from_str(&columns).map_err(|error| DbError::Corrupt(error.to_string()))?;
    Ok(Feed {
        id: row.try_get_by_index(0)?,
        source: text(1)?,
        kind: named(&text(2)?, Kind::from_name)?,
        origin: named(&text(3)?, Origin::from_name)?,
        name: text(4)?,
        format: named(&text(5)?, Format::from_name)?,
        columns,
        fed_by: text(7)?,
        state: named(&text(8)?, FeedState::from_name)?,
        seen: text(9)?.parse::<Seen>()?,
        version: row.try_get_by_index(10)?,
        counts: Counts { changed: count(row, 11)?, unchanged: count(row, 12)?, dead: count(row, 13)? },
        fed_at: time(14)?,
        began_at: time(15)?,
        touched_at: time(16)?,
        why: row.try_get_by_index(17)?,
    })
}

/// The variant of a stored name.
pub(super) fn named<T>(name: &str, of: impl Fn(&str) -> Option<T>) -> Result<T, DbError> {
    of(name).ok_or_else(|| DbError::Corrupt(format!("{name:?} is nothing that a feed can have")))
}

/// A stored count.
pub(super) fn count(row: &QueryResult, at: usize) -> Result<u64, DbError> {
    let count: i64 = row.try_get_by_index(at)?;
    u64::try_from(count).map_err(|_| DbError::Corrupt(format!("a count of {count}")))
}

/// A count as it is stored.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
