//! What a field is: the narrowest type that can hold it and write it back.
//!
//! **Invariant.** A type is never guessed: `007` is text (a number would lose its zeros), and so is an identifier of thirty
//! digits. [`Kind::join`] is a semilattice: associative, commutative, idempotent, [`Kind::Empty`] below all and
//! [`Kind::Text`] above all; so a column's type does not depend on the order of its rows.

mod dates;
mod numbers;

pub use numbers::{Decimal, Number};

/// The type of a field, or of a column: the narrowest one that holds all its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing between the delimiters.
    Empty,
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits, written without leading zeros or a plus.
    Integer,
    /// A number with a point, of 64 bits and at most nine decimals: exact, as money must be.
    Decimal,
    /// Any other finite number: with an exponent, or with more digits than can be exact.
    Float,
    /// A day of the calendar, `YYYY-MM-DD`.
    Date,
    /// A day and a time, `YYYY-MM-DD hh:mm:ss`; also with `T`, a fraction, a `Z`.
    DateTime,
    /// Anything else.
    Text,
}

impl Kind {
    /// Every kind, from the bottom.
    pub const ALL: [Self; 8] = [
        Self::Empty,
        Self::Bool,
        Self::Integer,
        Self::Decimal,
        Self::Float,
        Self::Date,
        Self::DateTime,
        Self::Text,
    ];

    /// The narrowest kind that holds both.
    pub fn join(self, other: Self) -> Self {
        use Kind::{Date, DateTime, Decimal, Empty, Float, Integer, Text};
        match (self, other) {
            (same, also) if same == also => same,
            (kind, Empty) | (Empty, kind) => kind,
            (Integer, Decimal) | (Decimal, Integer) => Decimal,
            (Integer | Decimal, Float) | (Float, Integer | Decimal) => Float,
            (Date, DateTime) | (DateTime, Date) => DateTime,
            _ => Text,
        }
    }

    /// Whether its values can be added up.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Float)
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Bool => "bool",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Text => "text",
        }
    }
}

/// The kind of one field, and its number if it is one.
///
/// ```
/// use labs_csv_stats::{Kind, read_value};
/// assert_eq!(read_value(b"17850.0").0, Kind::Decimal);
/// assert_eq!(read_value(b"2011-02-29").0, Kind::Text); // no such day
/// assert_eq!(read_value(b"007").0, Kind::Text);
/// ```
#[inline]
pub fn read_value(field: &[u8]) -> (Kind, Option<Number>) {
    match field {
        [] => (Kind::Empty, None),
        b"true" | b"false" => (Kind::Bool, None),
        [b'0'..=b'9' | b'-' | b'.', ..] => match numbers::number(field) {
            Some((kind, number)) => (kind, Some(number)),
            None => (dates::date_or_time(field).unwrap_or(Kind::Text), None),
        },
        _ => (Kind::Text, None),
    }
}
