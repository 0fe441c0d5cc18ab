//! What can be wrong with a file, and where it was.
//!
//! **Invariant.** Everything that is left out of the statistics has a finding with row and column. All are counted; of each kind only
//! the first few places are kept, so a file of nothing but dirt needs no more memory than a clean one.

/// Places that are kept of each kind of dirt.
const KEPT: usize = 5;

/// One kind of dirt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dirt {
    /// The file begins with the three bytes of a byte order mark. They are dropped.
    ByteOrderMark,
    /// A line of nothing. It is no row.
    BlankLine,
    /// A line end between quotes. It belongs to the field.
    LineEndInQuotes,
    /// The row ends otherwise than the first row of the file did, or with a lone carriage return.
    OtherLineEnd,
    /// A quote inside a field that did not begin with one. It is kept as it is.
    StrayQuote,
    /// Two columns have the same heading.
    RepeatedHeading,
    /// A column has no heading.
    EmptyHeading,
    /// Bytes that are not UTF-8.
    BadUtf8,
    /// A zero byte.
    Nul,
    /// Fewer fields than the heading has; the column is the first one that is missing.
    TooFewFields,
    /// More fields than the heading has; the column is the first one too many.
    TooManyFields,
    /// Text between a closing quote and the next delimiter.
    TextAfterQuote,
    /// The file ends before the quote of this field is closed.
    UnclosedQuote,
    /// The file ends in this row, before its last column and without a line end.
    Truncated,
    /// The row has more bytes or fields than are kept.
    TooLong,
}

/// What happens to that which is dirty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Everything is in the statistics; it is only told.
    Told,
    /// This one field is in no statistics: what it says can't be known.
    FieldLeftOut,
    /// The whole row is in no statistics: its fields may stand under the wrong headings.
    RowLeftOut,
}

impl Dirt {
    /// Every kind, mildest first.
    pub const ALL: [Self; 15] = [
        Self::ByteOrderMark,
        Self::BlankLine,
        Self::LineEndInQuotes,
        Self::OtherLineEnd,
        Self::StrayQuote,
        Self::RepeatedHeading,
        Self::EmptyHeading,
        Self::BadUtf8,
        Self::Nul,
        Self::TooFewFields,
        Self::TooManyFields,
        Self::TextAfterQuote,
        Self::UnclosedQuote,
        Self::Truncated,
        Self::TooLong,
    ];

    /// What it means for the statistics.
    pub fn effect(self) -> Effect {
        match self {
            Self::ByteOrderMark
            | Self::BlankLine
            | Self::LineEndInQuotes
            | Self::OtherLineEnd
            | Self::StrayQuote
            | Self::RepeatedHeading
            | Self::EmptyHeading => Effect::Told,
            Self::BadUtf8 | Self::Nul => Effect::FieldLeftOut,
            Self::TooFewFields
            | Self::TooManyFields
            | Self::TextAfterQuote
            | Self::UnclosedQuote
            | Self::Truncated
            | Self::TooLong => Effect::RowLeftOut,
        }
    }

    /// One sentence for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "the file begins with a byte order mark; dropped",
            Self::BlankLine => "a blank line; no row",
            Self::LineEndInQuotes => "a line end between quotes; part of the field",
            Self::OtherLineEnd => "another line end than the first, or a lone CR",
            Self::StrayQuote => "a quote inside an unquoted field; kept",
            Self::RepeatedHeading => "a heading that was there before",
            Self::EmptyHeading => "a column without a heading",
            Self::BadUtf8 => "bytes that are not UTF-8; field left out",
            Self::Nul => "a zero byte; field left out",
            Self::TooFewFields => "fewer fields than headings; row left out",
            Self::TooManyFields => "more fields than headings; row left out",
            Self::TextAfterQuote => "text after a closing quote; row left out",
            Self::UnclosedQuote => "a quote that is never closed; row left out",
            Self::Truncated => "the file ends inside this row; row left out",
            Self::TooLong => "longer than a row may be; row left out",
        }
    }
}

/// Dirt and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub dirt: Dirt,
    /// The row, as the statistics count: the first one after the heading is 1, the heading is 0. A blank line has the
    /// number of the row that follows it.
    pub row: u64,
    /// The column, from 1.
    pub column: usize,
    /// The line of the file on which the row begins, from 1, as editors count.
    pub line: u64,
}

/// All dirt of a file: counts, and the first places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    counts: [u64; Dirt::ALL.len()],
    kept: Vec<Finding>,
}

impl Journal {
    /// Notes a finding. Constant memory.
    pub fn note(&mut self, finding: Finding) {
        let count = &mut self.counts[finding.dirt as usize];
        *count += 1;
        if *count <= KEPT as u64 {
            self.kept.push(finding);
        }
    }

    /// How often there was this dirt.
    pub fn count(&self, dirt: Dirt) -> u64 {
        self.counts[dirt as usize]
    }

    /// The first places of each kind, in the order of the file.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.kept.iter()
    }

    /// The gravest effect of all findings; `None` if there are none.
    pub fn gravest(&self) -> Option<Effect> {
        Dirt::ALL.into_iter().filter(|dirt| self.count(*dirt) > 0).map(Dirt::effect).max()
    }
}
