//! The fields of one CSV row, and the rows of a CSV file.
//!
//! **Invariant.** A row's text is handed on as it stands in the file, so a dead letter holds what was sent and is read by
//! the same grammar again. Whatever the bytes, a row costs at most [`MOST_ROW`] bytes of memory.
//!
//! The grammar is csv-core's: RFC 4180, with `\n`, `\r\n` or a lone `\r` between rows. Blank lines are no rows; a byte-order
//! mark at the start is skipped.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

use csv_core::{ReadFieldResult, ReadRecordResult, Reader};
use pulse_data::feeds::Place;

use super::raw::{MOST_ROW, RawRow, fill};

const INPUT: usize = 64 * 1024;

/// The fields of a row's text, in order.
pub(super) fn fields(text: &[u8]) -> Vec<Cow<'_, [u8]>> {
    if !text.contains(&b'"') && !text.starts_with(b"\xef\xbb\xbf") {
        return text.split(|byte| *byte == b',').map(Cow::Borrowed).collect();
    }
    let (mut parser, mut fields) = (Reader::new(), Vec::new());
    // A field is never longer than the text that it is written as.
    let (mut input, mut output) = (text, vec![0; text.len() + 1]);
    let mut length = 0;
    loop {
        let (result, taken, written) = parser.read_field(input, &mut output[length..]);
        input = &input[taken..];
        length += written;
        match result {
            // The text's end was not told yet: the next call, with nothing, tells it.
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            ReadFieldResult::Field { record_end } => {
                fields.push(Cow::Owned(output[..length].to_vec()));
                length = 0;
                if record_end {
                    return fields;
                }
            }
            ReadFieldResult::End => return fields,
        }
    }
}

/// Reads the rows of a file one at a time; its header is the first of them.
pub(super) struct CsvRows<R> {
    source: R,
    parser: Reader,
    input: Box<[u8]>,
    unread: Range<usize>,
    /// Where the parser writes what is parsed again later: only where rows end is of interest here.
    output: Box<[u8]>,
    ends: Box<[usize]>,
    text: Vec<u8>,
    rows: u64,
    /// Line breaks before the next byte.
    lines: u64,
    begun: bool,
}

impl<R: Read> CsvRows<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            parser: Reader::new(),
            input: vec![0; INPUT].into(),
            unread: 0..0,
            output: vec![0; INPUT].into(),
            ends: vec![0; 256].into(),
            text: Vec::new(),
            rows: 0,
            lines: 0,
            begun: false,
        }
    }

    /// The header's names, trimmed; `None` for an empty file. To be asked for first.
    pub(super) fn header(&mut self) -> io::Result<Option<Vec<String>>> {
        let Some(row) = self.next()? else { return Ok(None) };
        self.rows = 0;
        let name = |field: &Cow<'_, [u8]>| String::from_utf8_lossy(field).trim().to_owned();
        Ok(Some(fields(&row.text).iter().map(name).collect()))
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<RawRow>> {
        self.text.clear();
        let mut cut = false;
        loop {
            if self.unread.is_empty() {
                // The mark is only recognised whole, so the first bytes are read until there are three.
                let read = fill(&mut self.source, &mut self.input, if self.begun { 1 } else { 3 })?;
                (self.unread, self.begun) = (0..read, true);
            }
            let input = &self.input[self.unread.clone()];
            let (result, taken, ..) = self.parser.read_record(input, &mut self.output, &mut self.ends);
            let room = MOST_ROW.saturating_sub(self.text.len());
            self.text.extend_from_slice(&input[..taken.min(room)]);
            cut |= taken > room;
            if taken > room {
                self.lines += breaks(&input[room..taken]);
            }
            self.unread.start += taken;
            match result {
                ReadRecordResult::InputEmpty
                | ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::Record => return Ok(Some(self.row(cut))),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn row(&mut self, cut: bool) -> RawRow {
        let is_break = |byte: &&u8| matches!(byte, b'\n' | b'\r');
        let before = self.text.iter().take_while(is_break).count();
        let line = self.lines + breaks(&self.text[..before]) + 1;
        self.lines += breaks(&self.text);
        let after = if cut { 0 } else { self.text.iter().rev().take_while(is_break).count() };
        let end = (self.text.len() - after).max(before);
        self.rows += 1;
        RawRow { place: Place { row: self.rows, line }, text: self.text[before..end].into(), cut }
    }
}

fn breaks(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(file: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
        let mut rows = CsvRows::new(file);
        let mut all = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            all.push((row.place.row, row.place.line, row.text.into_vec()));
        }
        all
    }

    fn texts(text: &[u8]) -> Vec<String> {
        fields(text).iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect()
    }

    #[test]
    fn rows_keep_their_text_and_know_their_line() {
        let file = b"\xef\xbb\xbfa,b\r\n\r\n1,\"two\nlines\"\n3,\"say \"\"x\"\"\"\r\n\n\n4,5";
        let all = rows(file);
        let lines: Vec<u64> = all.iter().map(|row| row.1).collect();
        assert_eq!(lines, [1, 3, 5, 8]);
        assert_eq!(all[1].2, b"1,\"two\nlines\"");
        assert_eq!(texts(&all[0].2), ["a", "b"]);
        assert_eq!(texts(&all[2].2), ["3", "say \"x\""]);
        assert_eq!(texts(b""), [""]);
    }

    #[test]
    fn a_quote_that_is_never_closed_is_one_row_that_is_cut() {
        let file = [b"1,\"open".as_slice(), &b"x".repeat(3 * MOST_ROW)].concat();
        let mut reader = CsvRows::new(&file[..]);
        let row = reader.next().unwrap().unwrap();
        assert!(row.cut && row.text.len() == MOST_ROW);
        assert!(reader.next().unwrap().is_none());
    }

    /// A source that gives a byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            (buffer[0], self.0) = (*first, rest);
            Ok(1)
        }
    }

    fn telling() -> impl Strategy<Value = Vec<u8>> {
        let piece =
            proptest::sample::select(vec!["a", ",", "\"", "\n", "\r", "\"\"", "\r\n", "é", "\0", " "]);
        proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn each_row_read_again_by_itself_has_the_fields_it_has_in_the_file(file in telling()) {
            let mut library = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&file[..]);
            let mut expected: Vec<Vec<Vec<u8>>> = library
                .byte_records()
                .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
                .collect();
            let all = rows(&file);
            let mut found: Vec<Vec<Vec<u8>>> =
                all.iter().map(|row| fields(&row.2).into_iter().map(Cow::into_owned).collect()).collect();
            // Where a quote is never closed, the file's last line break is in its field, and not in the row's text.
            for last in [&mut expected, &mut found].into_iter().filter_map(|all| all.last_mut()?.last_mut()) {
                let breaks = last.iter().rev().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
                last.truncate(last.len() - breaks);
            }
            prop_assert_eq!(found, expected);
            let mut drip = CsvRows::new(Drip(&file));
            for row in &all {
                let again = drip.next().unwrap().unwrap();
                prop_assert_eq!((again.place.row, again.place.line, again.text.into_vec()), row.clone());
            }
            prop_assert!(drip.next().unwrap().is_none());
        }
    }
}
