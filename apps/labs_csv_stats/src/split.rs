//! Bytes in, rows out: RFC 4180, and what real files make of it.
//!
//! **Invariant.** Where the bytes are cut into chunks makes no difference. What is kept of a row is bounded ([`LONGEST_ROW`],
//! [`MOST_FIELDS`]); what is beyond the bound is passed over, and the row says so.
//!
//! A state machine with one state for each answer to "what may come next". Most bytes are no decision at all: they are passed
//! over in one run, by a table that knows which bytes are.

mod row;

pub use row::{LONGEST_ROW, MOST_FIELDS, Row};

use memchr::memchr2;

use crate::dirt::Dirt;

const QUOTE: u8 = b'"';
const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Bits of the table: the byte ends a run outside of quotes, or between them.
const STOPS: u8 = 1;
const STOPS_QUOTED: u8 = 2;

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The file begins; so many bytes of a byte order mark have been seen.
    FileStart(u8),
    /// A row begins, if anything does.
    RowStart,
    /// A field begins.
    FieldStart,
    /// Inside a field without quotes.
    Plain,
    /// Between quotes.
    Quoted,
    /// Between quotes, after a carriage return.
    QuotedAfterCr,
    /// After a quote that closes the field, or is the first of two that stand for one.
    QuoteInQuotes,
    /// After a carriage return outside of quotes: a row has ended, perhaps with a line feed to come.
    AfterCr,
}

/// How a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Cr,
    CrLf,
    Lf,
}

/// Cuts a file into rows and fields.
#[derive(Debug)]
pub struct Splitter {
    delimiter: u8,
    stops: Box<[u8; 256]>,
    state: State,
    row: Row,
    /// The line that is being read, from 1.
    line: u64,
    /// How the first row ended.
    usual_end: Option<LineEnd>,
}

impl Splitter {
    /// For fields that are parted by `delimiter`.
    pub fn new(delimiter: u8) -> Self {
        let mut stops = Box::new([0; 256]);
        for byte in [delimiter, b'\n', b'\r', QUOTE, 0] {
            stops[usize::from(byte)] |= STOPS;
        }
        for byte in [b'\n', b'\r', QUOTE, 0] {
            stops[usize::from(byte)] |= STOPS_QUOTED;
        }
        Self { delimiter, stops, state: State::FileStart(0), row: Row::default(), line: 1, usual_end: None }
    }

    /// Takes the next bytes of the file, and shows each row that they complete.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(&Row)) {
        let mut rest = chunk;
        while let [byte, after @ ..] = rest {
            if self.state == State::RowStart
                && let Some(behind) = self.plain_line(rest, &mut each)
            {
                rest = behind;
            } else {
                rest = self.step(*byte, rest, after, &mut each);
            }
        }
    }

    /// The short way for a whole line in which nothing but delimiters is a decision: most lines of most files. It shows the
    /// row that [`step`](Self::step) would have shown, after a few sweeps at the speed of memory.
    #[inline]
    fn plain_line<'a>(&mut self, rest: &'a [u8], each: &mut impl FnMut(&Row)) -> Option<&'a [u8]> {
        let end = memchr2(b'\n', b'\r', rest)?;
        let (line, behind) = rest.split_at(end);
        let (line_end, behind) = match behind {
            [b'\n', behind @ ..] => (LineEnd::Lf, behind),
            [b'\r', b'\n', behind @ ..] => (LineEnd::CrLf, behind),
            _ => return None,
        };
        let whole = !line.is_empty() && self.row.is_fresh() && memchr2(QUOTE, 0, line).is_none();
        if !whole || !self.row.take_line(line, self.delimiter) {
            return None;
        }
        self.end_row(line_end, each);
        Some(behind)
    }

    /// The file is over: shows its last row, if that had no line end.
    pub fn finish(&mut self, mut each: impl FnMut(&Row)) {
        match self.state {
            State::FileStart(0) | State::RowStart => return,
            State::AfterCr => return self.end_row(LineEnd::Cr, &mut each),
            State::FileStart(seen) => self.row.push(&MARK[..usize::from(seen)]),
            State::Quoted | State::QuotedAfterCr => self.row.mark(Dirt::UnclosedQuote),
            State::FieldStart | State::Plain | State::QuoteInQuotes => {}
        }
        self.row.end_field();
        self.row.cut_off();
        each(&self.row);
        self.row.clear(self.line);
        self.state = State::RowStart;
    }

    /// Looks at the first byte of `rest` and decides; returns what has not been looked at yet.
    #[inline]
    fn step<'a>(
        &mut self,
        byte: u8,
        rest: &'a [u8],
        after: &'a [u8],
        each: &mut impl FnMut(&Row),
    ) -> &'a [u8] {
        //>> step
        //? For each state: which bytes lead to another state, which end a field, which end a row? A chunk may end after any byte.
        match (self.state, byte) {
            (State::Plain, _) => return self.plain(rest, each),
            (State::FieldStart, QUOTE) => self.state = State::Quoted,
            (State::FieldStart, _) => {
                self.state = State::Plain;
                return rest;
            }
            (State::RowStart, b'\n' | b'\r') => {
                self.row.mark(Dirt::BlankLine);
                self.end_line(byte, each);
            }
            (State::RowStart, _) => {
                self.state = State::FieldStart;
                return rest;
            }
            (State::Quoted, _) => return self.quoted(rest),
            (State::QuotedAfterCr, _) => {
                self.state = State::Quoted;
                // A line feed right behind is part of the same line end.
                if byte == b'\n' {
                    self.row.push(b"\n");
                    return after;
                }
                return rest;
            }
            (State::QuoteInQuotes, QUOTE) => {
                self.row.push(b"\"");
                self.state = State::Quoted;
            }
            (State::QuoteInQuotes, b'\n' | b'\r') => self.end_line(byte, each),
            (State::QuoteInQuotes, _) if byte == self.delimiter => self.end_field(),
            (State::QuoteInQuotes, _) => {
                self.row.mark(Dirt::TextAfterQuote);
                self.state = State::Plain;
                return rest;
            }
            (State::AfterCr, b'\n') => self.end_row(LineEnd::CrLf, each),
            (State::AfterCr, _) => {
                self.end_row(LineEnd::Cr, each);
                return rest;
            }
            (State::FileStart(seen), _) if byte == MARK[usize::from(seen)] => {
                if seen == 2 {
                    self.row.mark(Dirt::ByteOrderMark);
                    self.state = State::RowStart;
                } else {
                    self.state = State::FileStart(seen + 1);
                }
            }
            (State::FileStart(0), _) => {
                self.state = State::RowStart;
                return rest;
            }
            (State::FileStart(seen), _) => {
                self.row.push(&MARK[..usize::from(seen)]);
                self.state = State::Plain;
                return rest;
            }
        }
        after
        //<<
    }

    /// A run outside of quotes, and the byte that ends it.
    #[inline]
    fn plain<'a>(&mut self, rest: &'a [u8], each: &mut impl FnMut(&Row)) -> &'a [u8] {
        let (run, rest) = self.run(rest, STOPS);
        self.row.push(run);
        let [stop, after @ ..] = rest else { return rest };
        match *stop {
            b'\n' | b'\r' => self.end_line(*stop, each),
            QUOTE => {
                self.row.mark(Dirt::StrayQuote);
                self.row.push(b"\"");
            }
            0 => self.nul(),
            _ => self.end_field(),
        }
        after
    }

    /// A run between quotes, and the byte that ends it.
    fn quoted<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        //>> quoted
        //? Which bytes still mean something between quotes? Whose is a line end there, and who counts it?
        let (run, rest) = self.run(rest, STOPS_QUOTED);
        self.row.push(run);
        let [stop, after @ ..] = rest else { return rest };
        match *stop {
            QUOTE => self.state = State::QuoteInQuotes,
            0 => self.nul(),
            line_end => {
                self.row.mark(Dirt::LineEndInQuotes);
                self.row.push(&[line_end]);
                self.line += 1;
                if line_end == b'\r' {
                    self.state = State::QuotedAfterCr;
                }
            }
        }
        after
        //<<
    }

    /// The bytes up to the next one that is a decision.
    #[inline]
    fn run<'a>(&self, rest: &'a [u8], stops: u8) -> (&'a [u8], &'a [u8]) {
        let end = rest.iter().position(|&byte| self.stops[usize::from(byte)] & stops != 0);
        rest.split_at(end.unwrap_or(rest.len()))
    }

    fn nul(&mut self) {
        self.row.mark(Dirt::Nul);
        self.row.push(&[0]);
    }

    #[inline]
    fn end_field(&mut self) {
        self.row.end_field();
        self.state = State::FieldStart;
    }

    /// A line feed, or a carriage return that may have one behind it.
    #[inline]
    fn end_line(&mut self, byte: u8, each: &mut impl FnMut(&Row)) {
        if byte == b'\r' {
            self.state = State::AfterCr;
        } else {
            self.end_row(LineEnd::Lf, each);
        }
    }

    #[inline]
    fn end_row(&mut self, end: LineEnd, each: &mut impl FnMut(&Row)) {
        let usual = *self.usual_end.get_or_insert(if end == LineEnd::Cr { LineEnd::Lf } else { end });
        if end != usual {
            self.row.mark(Dirt::OtherLineEnd);
        }
        self.row.end_field();
        each(&self.row);
        self.line += 1;
        self.row.clear(self.line);
        self.state = State::RowStart;
    }
}
