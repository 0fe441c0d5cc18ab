//! How many rows of a feed are one transaction.
//!
//! **Invariant.** A batch is as large as is worth its audit row, and no larger than what a broker gives out at a time.

use pulse_data::Backend;

/// Rows of one transaction, from [`LEAST`](Self::LEAST) to [`MOST`](Self::MOST).
///
/// More are faster, and hold the database for longer: on SQLite every write waits while one is done, on PostgreSQL those of
/// the same products. Measured beside checkouts on SQLite: batches of 2,000 feed 43,900 rows/s, and a checkout takes 28 ms
/// (p50; 52 at p99); batches of 500 feed 33,300, and it takes 12 ms (37 at p99).
///
/// ```
/// use pulse_data::Backend;
/// use pulse_ingest::feed::BatchRows;
/// assert_eq!(BatchRows::usual(Backend::Sqlite).get(), 500);
/// assert_eq!(BatchRows::new(2_000), Some(BatchRows::usual(Backend::Postgres)));
/// assert_eq!((BatchRows::new(99), BatchRows::new(10_001)), (None, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRows(usize);

impl BatchRows {
    /// Each batch leaves an audit row and what it has changed: fewer rows are not worth it.
    pub const LEAST: usize = 100;
    /// As many as a stream has out at a time: more would only wait for each other.
    pub const MOST: usize = 10_000;

    /// So many rows; `None` where that is too few or too many.
    pub fn new(rows: usize) -> Option<Self> {
        (Self::LEAST..=Self::MOST).contains(&rows).then_some(Self(rows))
    }

    /// What suits a shop that sells while it is fed: where all writes wait for one writer a batch is short, elsewhere it is
    /// fast.
    pub const fn usual(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self(500),
            Backend::Postgres => Self(2_000),
        }
    }

    /// The rows as a number.
    pub const fn get(self) -> usize {
        self.0
    }
}
