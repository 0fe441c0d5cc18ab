//! Files for the gate: read whole or in pieces, and written as RFC 4180 says.

use std::fmt::Write as _;
use std::io::{self, Read};

use labs_csv_stats::{Dirt, Options, Row, Scan, Splitter, Summary};

/// The summary of a file that comes in one piece.
pub(crate) fn scan(file: impl AsRef<[u8]>) -> Summary {
    scan_in_pieces(file, &[usize::MAX])
}

/// The summary of a file that comes in pieces of these sizes, over and over.
pub(crate) fn scan_in_pieces(file: impl AsRef<[u8]>, sizes: &[usize]) -> Summary {
    let mut scan = Scan::new(&Options::default());
    for piece in pieces(file.as_ref(), sizes) {
        scan.feed(piece);
    }
    scan.finish()
}

/// One row as the splitter shows it: fields, what was odd, its line, whether it was cut off.
pub(crate) type Shown = (Vec<Vec<u8>>, Vec<(Dirt, usize)>, u64, bool);

/// All rows of a file that comes in pieces of these sizes.
pub(crate) fn rows(file: &[u8], sizes: &[usize]) -> Vec<Shown> {
    let mut shown = Vec::new();
    let mut splitter = Splitter::new(b',');
    let mut show = |row: &Row| {
        let fields = row.fields().map(<[u8]>::to_vec).collect();
        shown.push((fields, row.marks().to_vec(), row.line(), row.is_cut_off()));
    };
    for piece in pieces(file, sizes) {
        splitter.feed(piece, &mut show);
    }
    splitter.finish(&mut show);
    shown
}

/// The fields of all rows, as text.
pub(crate) fn fields(file: &str) -> Vec<Vec<String>> {
    let text = |field: Vec<u8>| String::from_utf8(field).expect("text");
    rows(file.as_bytes(), &[usize::MAX])
        .into_iter()
        .map(|(fields, ..)| fields.into_iter().map(text).collect())
        .collect()
}

fn pieces<'a>(mut file: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    sizes.iter().cycle().map_while(move |&size| {
        let (piece, rest) = file.split_at(size.clamp(1, file.len().max(1)).min(file.len()));
        file = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Dirt, row, column and line of all findings.
pub(crate) fn findings(summary: &Summary) -> Vec<(Dirt, u64, usize, u64)> {
    summary.journal().findings().map(|found| (found.dirt, found.row, found.column, found.line)).collect()
}

/// A table as a file, each field in quotes where it must be, or where `quoted` says so.
pub(crate) fn written(table: &[Vec<String>], line_end: &str, mut quoted: impl FnMut() -> bool) -> String {
    let mut file = String::new();
    for row in table {
        for (place, field) in row.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let must = field.contains([',', '"', '\r', '\n']) || (row.len() == 1 && field.is_empty());
            let _ = if must || quoted() {
                write!(file, "{comma}\"{}\"", field.replace('"', "\"\""))
            } else {
                write!(file, "{comma}{field}")
            };
        }
        file += line_end;
    }
    file
}

/// A source that does what it is told at each read: a piece, or an error.
pub(crate) struct Scripted<'a>(pub(crate) std::vec::IntoIter<Result<&'a [u8], io::ErrorKind>>);

impl<'a> Scripted<'a> {
    pub(crate) fn new(script: Vec<Result<&'a [u8], io::ErrorKind>>) -> Self {
        Self(script.into_iter())
    }
}

impl Read for Scripted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.next() {
            None => Ok(0),
            Some(Err(kind)) => Err(kind.into()),
            Some(Ok(piece)) => {
                buffer[..piece.len()].copy_from_slice(piece);
                Ok(piece.len())
            }
        }
    }
}
