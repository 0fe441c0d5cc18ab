//! Divides a stream of bytes into records.
//!
//! **Invariant.** It holds one record and one block. Whatever the bytes are, each of them is in one record, or in the
//! line ends and blank lines between records; a record that is too long costs only itself.

use std::io::{BufRead, BufReader, Read, Result};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::row::Format;

/// What stands at one place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A record; its bytes are in [`Records::raw`], its fields in [`Records::fields`].
    Whole {
        line: u64,
    },
    /// The beginning of one that is too long.
    TooLong {
        line: u64,
    },
    End,
}

/// Bytes that were put back, then those of the file.
struct Input {
    back: Vec<u8>,
    at: usize,
    file: BufReader<Box<dyn Read + Send>>,
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let mut from = self.fill_buf()?;
        let read = from.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.at < self.back.len() { Ok(&self.back[self.at..]) } else { self.file.fill_buf() }
    }

    fn consume(&mut self, n: usize) {
        if self.at < self.back.len() {
            self.at += n;
        } else {
            self.file.consume(n);
        }
    }
}

pub(super) struct Records {
    input: Input,
    /// `None`: lines.
    csv: Option<Reader>,
    /// The line that comes next, from 1.
    line: u64,
    longest: usize,
    raw: Vec<u8>,
    /// Room for fields and their ends, kept from record to record.
    out: Vec<u8>,
    ends: Vec<usize>,
    out_len: usize,
    ends_len: usize,
}

impl Records {
    pub(super) fn new(file: Box<dyn Read + Send>, format: Format, delimiter: u8, longest: usize) -> Self {
        let csv = (format == Format::Csv).then(|| ReaderBuilder::new().delimiter(delimiter).build());
        let file = BufReader::with_capacity(64 * 1024, file);
        Self {
            input: Input { back: Vec::new(), at: 0, file },
            csv,
            line: 1,
            longest,
            raw: Vec::new(),
            out: vec![0; 256],
            ends: vec![0; 32],
            out_len: 0,
            ends_len: 0,
        }
    }

    /// The last record as it stands in the file, without the line ends around it.
    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The fields of the last record one after the other, and where each ends.
    pub(super) fn fields(&self) -> (&[u8], &[usize]) {
        (&self.out[..self.out_len], &self.ends[..self.ends_len])
    }

    /// The line that comes next.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn next(&mut self) -> Result<Record> {
        self.raw.clear();
        (self.out_len, self.ends_len) = (0, 0);
        match self.csv.take() {
            Some(mut reader) => {
                let record = self.next_csv(&mut reader);
                self.csv = Some(reader);
                record
            }
            None => self.next_line(),
        }
    }

    fn next_line(&mut self) -> Result<Record> {
        loop {
            let line = self.line;
            let most = self.longest as u64 + 2;
            let read = (&mut self.input).take(most).read_until(b'\n', &mut self.raw)?;
            if read == 0 {
                return Ok(Record::End);
            }
            self.line += 1;
            let whole = self.raw.last() == Some(&b'\n');
            trim_end(&mut self.raw);
            if self.raw.len() > self.longest {
                if !whole {
                    self.skip_line()?;
                }
                self.raw.truncate(self.longest);
                return Ok(Record::TooLong { line });
            }
            if !self.raw.iter().all(u8::is_ascii_whitespace) {
                return Ok(Record::Whole { line });
            }
            self.raw.clear();
        }
    }

    fn next_csv(&mut self, reader: &mut Reader) -> Result<Record> {
        reader.set_line(self.line);
        loop {
            let input = self.input.fill_buf()?;
            let (result, used, wrote, ended) =
                reader.read_record(input, &mut self.out[self.out_len..], &mut self.ends[self.ends_len..]);
            self.raw.extend_from_slice(&input[..used]);
            self.input.consume(used);
            self.out_len += wrote;
            self.ends_len += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.out.resize(self.out.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    // The line end before it was left by the record before, blank lines belong to none.
                    let before = self.raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                    let line = self.line + count_lines(&self.raw[..before]);
                    self.line = reader.line();
                    self.raw.drain(..before);
                    trim_end(&mut self.raw);
                    return Ok(Record::Whole { line });
                }
                ReadRecordResult::End => return Ok(Record::End),
            }
            if self.raw.len() > self.longest {
                reader.reset();
                return self.cut_off();
            }
        }
    }

    /// A quote was opened and not closed for a long time: its line is bad, the lines behind it are read again.
    fn cut_off(&mut self) -> Result<Record> {
        let before = self.raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line = self.line + count_lines(&self.raw[..before]);
        self.raw.drain(..before);
        (self.out_len, self.ends_len) = (0, 0);
        self.line = line + 1;
        match self.raw.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let again = self.raw.split_off(end + 1);
                let rest = self.input.back.split_off(self.input.at);
                self.input.back = again;
                self.input.back.extend(rest);
                self.input.at = 0;
            }
            None => self.skip_line()?,
        }
        trim_end(&mut self.raw);
        self.raw.truncate(self.longest);
        Ok(Record::TooLong { line })
    }

    /// Goes behind the next line end.
    fn skip_line(&mut self) -> Result<()> {
        loop {
            let input = self.input.fill_buf()?;
            if input.is_empty() {
                return Ok(());
            }
            let (used, found) = match input.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (input.len(), false),
            };
            self.input.consume(used);
            if found {
                return Ok(());
            }
        }
    }
}

fn trim_end(raw: &mut Vec<u8>) {
    while matches!(raw.last(), Some(b'\n' | b'\r')) {
        raw.pop();
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    (bytes.split(|byte| *byte == b'\n').count() - 1) as u64
}
