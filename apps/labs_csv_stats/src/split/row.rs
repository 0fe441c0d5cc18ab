//! One row, and what was odd about how it was written.
//!
//! **Invariant.** Its buffers are used again for every row, and never hold more than [`LONGEST_ROW`] bytes and [`MOST_FIELDS`] fields.

use memchr::memchr_iter;

use crate::dirt::Dirt;

/// Bytes that are kept of one row.
pub const LONGEST_ROW: usize = 1 << 20;

/// Fields that are kept of one row, and so columns that a file may have.
pub const MOST_FIELDS: usize = 2_000;

/// The fields of one row, without quotes and delimiters.
#[derive(Debug, Clone)]
pub struct Row {
    bytes: Vec<u8>,
    /// Where each field ends.
    ends: Vec<usize>,
    /// Bytes between two fields: 1 where a line was taken with its delimiters.
    gap: usize,
    marks: Vec<(Dirt, usize)>,
    line: u64,
    cut_off: bool,
}

impl Default for Row {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), gap: 0, marks: Vec::new(), line: 1, cut_off: false }
    }
}

impl Row {
    /// Its fields, in order. There is at least one.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let field = &self.bytes[start..end];
            start = end + self.gap;
            field
        })
    }

    /// How many fields it has.
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no field; no row that is shown is like that.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All bytes of its fields; perhaps delimiters between them.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was odd, each with its column from 1; a kind is marked once a field.
    #[inline]
    pub fn marks(&self) -> &[(Dirt, usize)] {
        &self.marks
    }

    /// The line on which it begins, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether the file ended before a line end.
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Appends to the field that is being read; what is beyond the bound is passed over.
    #[inline]
    pub(super) fn push(&mut self, run: &[u8]) {
        let room = LONGEST_ROW - self.bytes.len();
        if run.len() > room {
            self.mark_too_long();
        }
        self.bytes.extend_from_slice(&run[..run.len().min(room)]);
    }

    /// Whether nothing has been put in or marked.
    #[inline]
    pub(super) fn is_fresh(&self) -> bool {
        self.bytes.is_empty() && self.marks.is_empty()
    }

    /// Takes in a whole line but for the end of its last field; refuses one that is beyond the bounds.
    #[inline]
    pub(super) fn take_line(&mut self, line: &[u8], delimiter: u8) -> bool {
        if line.len() > LONGEST_ROW {
            return false;
        }
        self.ends.extend(memchr_iter(delimiter, line).take(MOST_FIELDS));
        if self.ends.len() == MOST_FIELDS {
            self.ends.clear();
            return false;
        }
        self.bytes.extend_from_slice(line);
        self.gap = 1;
        true
    }

    #[inline]
    pub(super) fn end_field(&mut self) {
        if self.ends.len() == MOST_FIELDS {
            self.mark_too_long();
        } else {
            self.ends.push(self.bytes.len());
        }
    }

    /// Marks the field that is being read.
    pub(super) fn mark(&mut self, dirt: Dirt) {
        let column = self.ends.len() + 1;
        let mut of_this_field = self.marks.iter().rev().take_while(|mark| mark.1 == column);
        if !of_this_field.any(|mark| mark.0 == dirt) {
            self.marks.push((dirt, column));
        }
    }

    #[cold]
    fn mark_too_long(&mut self) {
        if !self.marks.iter().any(|mark| mark.0 == Dirt::TooLong) {
            self.mark(Dirt::TooLong);
        }
    }

    pub(super) fn cut_off(&mut self) {
        self.cut_off = true;
    }

    /// Ready for the row that begins on this line.
    #[inline]
    pub(super) fn clear(&mut self, line: u64) {
        self.bytes.clear();
        self.ends.clear();
        self.gap = 0;
        self.marks.clear();
        self.line = line;
        self.cut_off = false;
    }
}
