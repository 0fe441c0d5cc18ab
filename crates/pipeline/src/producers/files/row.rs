//! A row: the bytes of one record, and where they stood.
//!
//! **Invariant.** File and line name a record: reading the same file again gives the same names. One allocation a row.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failure::Failure;

/// How a file is divided into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values as the `csv` crate reads them: quoted fields may hold line ends.
    Csv,
    /// A JSON value a line. The producer divides lines and leaves the JSON to the handler.
    Ndjson,
    /// Lines.
    Lines,
}

/// A file, as all its rows share it.
#[derive(Debug)]
pub struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) header: Vec<String>,
}

impl SourceFile {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name without the folder.
    pub fn name(&self) -> Cow<'_, str> {
        self.path.file_name().map_or(Cow::Borrowed(""), |name| name.to_string_lossy())
    }

    /// How it was read.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The names of its fields; none where there is no header.
    pub fn header(&self) -> &[String] {
        &self.header
    }
}

/// One record of a file.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) file: Arc<SourceFile>,
    pub(super) line: u64,
    /// The record as it stands in the file, its fields one after the other, then their ends as `u32`.
    pub(super) bytes: Box<[u8]>,
    pub(super) raw: usize,
    pub(super) fields: usize,
}

impl Row {
    /// The file.
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// The line on which it begins, from 1. 0: it speaks of the file as a whole, which could not be opened.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The record as it stands in the file, without its line end. With a record that is too long or breaks off: what
    /// there is of it.
    pub fn raw(&self) -> &[u8] {
        &self.bytes[..self.raw]
    }

    /// [`Row::raw`] as text; what is not UTF-8 is replaced.
    pub fn text_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.raw())
    }

    /// [`Row::raw`] as text; what is not UTF-8 is a failure that names the place.
    pub fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(self.raw()).map_err(|error| {
            Failure::reject(format_args!(
                "{} line {}: not UTF-8 behind byte {}",
                self.file.name(),
                self.line,
                error.valid_up_to()
            ))
        })
    }

    /// How many fields it has; none if it is not CSV.
    pub fn len(&self) -> usize {
        (self.bytes.len() - self.raw - self.fields) / 4
    }

    /// Whether it has no fields.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A field, unquoted, from 0.
    pub fn field(&self, place: usize) -> Option<&[u8]> {
        let from = if place == 0 { 0 } else { self.end(place - 1)? };
        self.bytes[self.raw..self.raw + self.fields].get(from..self.end(place)?)
    }

    fn end(&self, place: usize) -> Option<usize> {
        let at = self.raw + self.fields + place.checked_mul(4)?;
        let end = self.bytes.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(end)).ok()
    }

    /// The field under this name of the header; a failure names what is missing or not UTF-8. Compares as many names as
    /// the header has: look the place up once where rows are many and wide.
    pub fn named(&self, name: &str) -> Result<&str, Failure> {
        let place = self.file.header.iter().position(|known| known == name);
        let Some(field) = place.and_then(|place| self.field(place)) else {
            return Err(self.reject(name, "missing"));
        };
        std::str::from_utf8(field).map_err(|_| self.reject(name, "not UTF-8"))
    }

    /// What is wrong with a field of this row, as a failure that names file, line and field.
    pub fn reject(&self, field: &str, wrong: &str) -> Failure {
        Failure::reject(format_args!("{} line {}: {field}: {wrong}", self.file.name(), self.line))
    }
}
