//! A CSV file as records, in bounded memory.
//!
//! **Invariant.** Whatever the bytes, a record costs at most [`MAX_RECORD`] bytes of memory: one that is larger (an
//! unclosed quote swallows the rest of a file) becomes a single record without fields.
//!
//! The grammar is csv-core's: fields may be quoted, a quoted field may hold commas, line breaks and doubled quotes;
//! `\n`, `\r\n` and a lone `\r` end a record; blank lines are no records; a byte-order mark at the start is
//! skipped; a last line without a line break is a record like any other.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader};

use super::rules::{Reason, Row, classify};

/// The largest record that is read as such, in bytes of its fields.
pub const MAX_RECORD: usize = 1 << 20;

/// More fields than any row of this data set has; what comes after them is not kept.
const MAX_FIELDS: usize = 64;
const INPUT: usize = 64 * 1024;
const FIRST_OUTPUT: usize = 4 * 1024;
/// What is kept of a record that is too large, for a person to recognise it.
const KEPT_OF_OVERSIZED: usize = 1024;

/// One record of the file.
#[derive(Debug, Clone, Copy)]
pub struct Record<'r> {
    /// Which data record of the file this is: 1 for the first one after the header.
    pub number: u64,
    /// The fields' bytes, one after the other.
    bytes: &'r [u8],
    /// Where each field ends in `bytes`; `None` for a record with too many fields or bytes.
    ends: Option<&'r [usize]>,
}

impl<'r> Record<'r> {
    /// The fields as text, if there are exactly `N` of them and all are UTF-8 without NUL (which no database
    /// keeps in a text).
    pub fn fields<const N: usize>(&self) -> Option<[&'r str; N]> {
        let ends: &[usize; N] = self.ends?.try_into().ok()?;
        let text = std::str::from_utf8(self.bytes).ok().filter(|text| !text.contains('\0'))?;
        let mut fields = [""; N];
        let mut start = 0;
        for (field, &end) in fields.iter_mut().zip(ends) {
            // `get` refuses to cut a character in two: then one field's bytes were not UTF-8 by themselves.
            *field = text.get(start..end)?;
            start = end;
        }
        Some(fields)
    }

    /// The record for a person: its fields with commas between them, bytes that are no UTF-8 replaced, cut after
    /// `max` bytes.
    pub fn excerpt(&self, max: usize) -> String {
        let mut bytes = Vec::with_capacity(self.bytes.len().min(max) + MAX_FIELDS);
        let mut start = 0;
        for &end in self.ends.unwrap_or(&[self.bytes.len()]) {
            if start > 0 {
                bytes.push(b',');
            }
            bytes.extend_from_slice(&self.bytes[start..end]);
            start = end;
            if bytes.len() > max {
                break;
            }
        }
        let mut text = String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}");
        text.truncate(text.floor_char_boundary(max));
        text
    }
}

/// Reads records from a source, one at a time; the header is skipped.
///
/// The first record is the header if it can't be read as a row, as no header can, and holds no digit, as hardly a row
/// does: so a file without a header loses nothing, not even a first row that is malformed.
pub struct Records<R> {
    source: R,
    parser: Reader,
    input: Box<[u8]>,
    /// The part of `input` that is not parsed yet.
    unread: std::ops::Range<usize>,
    output: Vec<u8>,
    ends: [usize; MAX_FIELDS],
    /// Data records that were handed out.
    number: u64,
    /// Bytes that were taken from the source.
    bytes_read: u64,
    header_seen: bool,
}

fn is_header(first: &Record<'_>) -> bool {
    matches!(classify(first), Row::Dead(Reason::Malformed)) && !first.bytes.iter().any(u8::is_ascii_digit)
}

/// What one run of the parser left in the buffers.
struct Shape {
    bytes: usize,
    fields: Option<usize>,
}

impl<R: Read> Records<R> {
    /// Reads from `source`; buffered here, so the source need not be.
    pub fn new(source: R) -> Self {
        Self {
            source,
            parser: Reader::new(),
            input: vec![0; INPUT].into(),
            unread: 0..0,
            output: vec![0; FIRST_OUTPUT],
            ends: [0; MAX_FIELDS],
            number: 0,
            bytes_read: 0,
            header_seen: false,
        }
    }

    /// Bytes taken from the source so far: how far a progress bar is.
    pub const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The source, for instance to ask a hashing one for its result.
    pub fn into_source(self) -> R {
        self.source
    }

    /// The next data record; `None` at the end. Errors are those of the source.
    #[expect(clippy::should_implement_trait, reason = "a lending iterator: the record borrows the buffers")]
    pub fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        let Some(mut shape) = self.advance()? else { return Ok(None) };
        if !self.header_seen {
            self.header_seen = true;
            if is_header(&self.record(&shape)) {
                match self.advance()? {
                    Some(next) => shape = next,
                    None => return Ok(None),
                }
            }
        }
        self.number += 1;
        Ok(Some(self.record(&shape)))
    }

    fn record(&self, shape: &Shape) -> Record<'_> {
        Record {
            number: self.number,
            bytes: &self.output[..shape.bytes],
            ends: shape.fields.map(|fields| &self.ends[..fields]),
        }
    }

    /// Parses one record into the buffers.
    fn advance(&mut self) -> io::Result<Option<Shape>> {
        let (mut bytes, mut fields) = (0, 0);
        let (mut oversized, mut too_many) = (None, false);
        loop {
            if self.unread.is_empty() {
                let read = self.fill()?;
                self.unread = 0..read;
            }
            // An empty input tells the parser that this was the end.
            let (result, taken, written, ended) = self.parser.read_record(
                &self.input[self.unread.clone()],
                &mut self.output[bytes..],
                &mut self.ends[fields..],
            );
            self.unread.start += taken;
            bytes += written;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() < MAX_RECORD => {
                    self.output.resize((self.output.len() * 2).min(MAX_RECORD), 0);
                }
                ReadRecordResult::OutputFull => {
                    // Keep the beginning, and let the rest of the record run over the same buffer.
                    oversized = Some(KEPT_OF_OVERSIZED);
                    bytes = KEPT_OF_OVERSIZED;
                }
                ReadRecordResult::OutputEndsFull => {
                    too_many = true;
                    fields = 0;
                }
                ReadRecordResult::Record => {
                    let fields = (!too_many && oversized.is_none()).then_some(fields);
                    return Ok(Some(Shape { bytes: oversized.unwrap_or(bytes), fields }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        // The mark is only recognised whole, so the first bytes are read until there are three.
        let wanted = if self.bytes_read == 0 { 3 } else { 1 };
        let mut filled = 0;
        while filled < wanted {
            match self.source.read(&mut self.input[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.bytes_read += filled as u64;
        Ok(filled)
    }
}
