//! From bytes to the statistics of a file.
//!
//! **Invariant.** Every row of the file is counted once: in the statistics ([`Summary::rows`]) or left out
//! ([`Summary::left_out`]) with a finding that says why.

use crate::column::Column;
use crate::dirt::{Dirt, Effect, Finding, Journal};
use crate::split::{Row, Splitter};

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Counts, kinds, least and greatest, sum, mean, variance.
    Simple,
    /// Quantiles, different values and most frequent values too.
    #[default]
    All,
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What parts the fields.
    pub delimiter: u8,
    /// Whether the first row names the columns.
    pub heading: bool,
    /// How much is asked for.
    pub depth: Depth,
}

impl Default for Options {
    fn default() -> Self {
        Self { delimiter: b',', heading: true, depth: Depth::All }
    }
}

/// A file that is being read: bytes go in, and a summary comes out at the end.
#[derive(Debug)]
pub struct Scan {
    splitter: Splitter,
    summary: Summary,
    options: Options,
}

impl Scan {
    /// A file of which nothing has been read yet.
    pub fn new(options: &Options) -> Self {
        Self { splitter: Splitter::new(options.delimiter), summary: Summary::default(), options: *options }
    }

    /// Takes the next bytes, as many as there happen to be.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.summary.bytes += chunk.len() as u64;
        self.splitter.feed(chunk, |row| self.summary.take(row, self.options));
    }

    /// The file is over.
    pub fn finish(mut self) -> Summary {
        self.splitter.finish(|row| self.summary.take(row, self.options));
        self.summary
    }

    /// Nothing more will come, but the file is not over: the row that is being read is not counted.
    pub fn stop(self) -> Summary {
        self.summary
    }
}

/// What is known of a file, or of several.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    headings: Vec<String>,
    columns: Vec<Column>,
    rows: u64,
    left_out: u64,
    bytes: u64,
    journal: Journal,
}

impl Summary {
    /// The names of the columns: from the heading, or their numbers.
    pub fn headings(&self) -> &[String] {
        &self.headings
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Rows that are in the statistics; the heading is none.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that are not.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Bytes that were read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What was dirty. After a [`merge`](Self::merge) only this file's own dirt: the other's rows have other numbers.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Takes in the summary of another file with the same headings; of any other, it says no.
    #[must_use = "files of other headings are not merged"]
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.headings != other.headings {
            return false;
        }
        for (ours, theirs) in self.columns.iter_mut().zip(&other.columns) {
            ours.merge(theirs);
        }
        self.rows += other.rows;
        self.left_out += other.left_out;
        self.bytes += other.bytes;
        true
    }

    /// Takes the next row of the file.
    #[inline]
    fn take(&mut self, row: &Row, options: Options) {
        if self.columns.is_empty() && self.open(row, options) {
            return;
        }
        if !self.judge(row) {
            return;
        }
        self.rows += 1;
        // One look at the whole row instead of one at each field: nearly all rows are plain.
        if row.bytes().is_ascii() && row.marks().is_empty() {
            for (column, field) in self.columns.iter_mut().zip(row.fields()) {
                column.add(field);
            }
        } else {
            self.take_field_by_field(row);
        }
    }

    /// Whether a row belongs into the statistics, by what is marked in it and by its width; says why if not.
    #[inline]
    fn judge(&mut self, row: &Row) -> bool {
        //>> judge
        //? Which rows may have their fields under the wrong headings? What tells a row that was cut off from one that is ragged?
        //? The width is compared here and nowhere else. Two columns are missing: which one do you name? And in a row that was cut off?
        //? A row that a mark has left out already may have too many fields as well. One reason is enough: the mark.
        if row.marks().is_empty() && row.len() == self.columns.len() {
            return true;
        }
        let number = self.rows + self.left_out + 1;
        let (mut blank, mut whole) = (false, true);
        for &(dirt, column) in row.marks() {
            blank |= dirt == Dirt::BlankLine;
            // What can't be read is told field by field, below.
            if dirt.effect() != Effect::FieldLeftOut {
                self.note(dirt, number, column, row);
            }
            whole &= dirt.effect() != Effect::RowLeftOut;
        }
        if blank {
            return false;
        }
        let (found, wanted) = (row.len(), self.columns.len());
        // An open quote or a row without end has too few or too many fields because of it: one reason is enough.
        if whole && found != wanted {
            let (dirt, column) = match found < wanted {
                true if row.is_cut_off() => (Dirt::Truncated, found + 1),
                true => (Dirt::TooFewFields, found + 1),
                false => (Dirt::TooManyFields, wanted + 1),
            };
            self.note(dirt, number, column, row);
            whole = false;
        }
        self.left_out += u64::from(!whole);
        whole
        //<<
    }

    /// A row in which some fields may be unreadable.
    #[cold]
    fn take_field_by_field(&mut self, row: &Row) {
        for (place, field) in row.fields().enumerate().take(self.columns.len()) {
            let dirt = if field.contains(&0) {
                Some(Dirt::Nul)
            } else if std::str::from_utf8(field).is_err() {
                Some(Dirt::BadUtf8)
            } else {
                None
            };
            match dirt {
                Some(dirt) => {
                    self.columns[place].add_unreadable();
                    self.note(dirt, self.rows + self.left_out, place + 1, row);
                }
                None => self.columns[place].add(field),
            }
        }
    }

    /// Learns the columns from the first row; returns whether that row is used up.
    fn open(&mut self, row: &Row, options: Options) -> bool {
        if row.marks().iter().any(|(dirt, _)| *dirt == Dirt::BlankLine) {
            self.note_marks(row);
            return true;
        }
        self.columns = row.fields().map(|_| Column::new(options.depth)).collect();
        if !options.heading {
            self.headings = (1..=row.len()).map(|number| number.to_string()).collect();
            return false;
        }
        self.note_marks(row);
        for (place, field) in row.fields().enumerate() {
            let heading = String::from_utf8_lossy(field).into_owned();
            let dirt = if std::str::from_utf8(field).is_err() {
                Some(Dirt::BadUtf8)
            } else if field.is_empty() {
                Some(Dirt::EmptyHeading)
            } else {
                self.headings.contains(&heading).then_some(Dirt::RepeatedHeading)
            };
            if let Some(dirt) = dirt {
                self.note(dirt, 0, place + 1, row);
            }
            self.headings.push(heading);
        }
        true
    }

    /// Notes all that was odd above the first row of data.
    fn note_marks(&mut self, row: &Row) {
        for &(dirt, column) in row.marks() {
            self.note(dirt, 0, column, row);
        }
    }

    fn note(&mut self, dirt: Dirt, row: u64, column: usize, at: &Row) {
        self.journal.note(Finding { dirt, row, column, line: at.line() });
    }
}
