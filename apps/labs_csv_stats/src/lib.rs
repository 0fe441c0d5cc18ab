//! Lab M1: statistics over CSV of any size, in memory that does not grow with it.
//!
//! **Invariant.** Whatever the bytes are, they are read once and in order, nothing panics, and memory depends on the
//! number of columns alone. Every row is either in the statistics or named with the reason why it is not.
//!
//! ```
//! use labs_csv_stats::{Dirt, Kind, Options, read};
//!
//! let file = "item,price\nlantern,3.39\nheart\n\"hanger, blue\",2.75\n";
//! let summary = read(file.as_bytes(), &Options::default())?;
//!
//! let price = &summary.columns()[1];
//! assert_eq!((summary.rows(), price.kind()), (2, Kind::Decimal));
//! assert_eq!(price.sum().map(|sum| sum.to_string()).as_deref(), Some("6.14"));
//! // The row of one field is not guessed at: it is named, by row and column, and left out.
//! assert_eq!(summary.left_out(), 1);
//! let finding = summary.journal().findings().next().expect("one finding");
//! assert_eq!((finding.dirt, finding.row, finding.column), (Dirt::TooFewFields, 2, 2));
//! # Ok::<(), labs_csv_stats::Stopped>(())
//! ```
//!
//! The parts are pure and can be used alone: [`Splitter`] cuts bytes into rows, [`read_value`] says what a field is, and the
//! summaries [`Moments`], [`Quantiles`], [`Distinct`] and [`Frequent`] each take values one at a time and **merge**: the
//! summary of two halves is the summary of the whole.

mod column;
mod dirt;
mod kind;
mod report;
mod split;
mod stats;
mod stream;
mod summary;

pub use column::Column;
pub use dirt::{Dirt, Effect, Finding, Journal};
pub use kind::{Decimal, Kind, Number, read_value};
pub use report::{Report, grouped};
pub use split::{LONGEST_ROW, MOST_FIELDS, Row, Splitter};
pub use stats::distinct::Distinct;
pub use stats::frequent::{Frequent, Item};
pub use stats::moments::Moments;
pub use stats::quantiles::Quantiles;
pub use stats::range::Range;
pub use stats::sum::Sum;
pub use stats::text::{LONGEST_TEXT, Text, hash, head};
pub use stream::{Stopped, read};
pub use summary::{Depth, Options, Scan, Summary};
