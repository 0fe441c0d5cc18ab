//! A row as it was sent, and where rows come from.
//!
//! **Invariant.** A row that is larger than [`MOST_ROW`] is cut and says so; nothing here looks into it.

use std::io::{self, Read};

use pulse_data::feeds::{Format, Place};

use super::csv::CsvRows;
use super::ndjson::Lines;

/// Bytes of a row that are read.
pub const MOST_ROW: usize = 1 << 20;

/// A row as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Where it stands.
    pub place: Place,
    /// Its text, without the line break at its end.
    pub text: Box<[u8]>,
    /// Whether that is only its beginning.
    pub cut: bool,
}

/// The rows of a source, in order.
pub(super) enum Rows<R> {
    Csv(Box<CsvRows<R>>),
    Ndjson(Box<Lines<R>>),
}

impl<R: Read> Rows<R> {
    /// The rows, and the header where the format has one; `None` where it should and the source is empty.
    pub(super) fn open(format: Format, source: R) -> io::Result<(Self, Option<Vec<String>>)> {
        match format {
            Format::Csv => {
                let mut rows = CsvRows::new(source);
                let header = rows.header()?;
                Ok((Self::Csv(Box::new(rows)), header))
            }
            Format::Ndjson => Ok((Self::Ndjson(Box::new(Lines::new(source))), Some(Vec::new()))),
        }
    }

    /// The next row; `None` at the end. Errors are those of the source.
    pub(super) fn next(&mut self) -> io::Result<Option<RawRow>> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Ndjson(lines) => lines.next(),
        }
    }
}

/// Reads at least so many bytes, if there are any more.
pub(super) fn fill(source: &mut impl Read, buffer: &mut [u8], wanted: usize) -> io::Result<usize> {
    let mut filled = 0;
    while filled < wanted {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
