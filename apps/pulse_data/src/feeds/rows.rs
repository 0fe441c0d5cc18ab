//! Rows of feeds as they reach the database: read, checked, and where they stood.
//!
//! **Invariant.** A row that is here fits the schema by itself; only what the shop already holds can still refuse it.

use std::borrow::Cow;

use pulse_core::pricing::VatRate;
use pulse_core::{Money, Sku, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which row of its feed, from 1; a stream's sequence number.
    pub row: u64,
    /// The line of its file at which it begins; 0 where it is of none.
    pub line: u64,
}

/// A row with its place and the text that it was read from, which becomes its dead letter if it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// Where it stands.
    pub place: Place,
    /// As it was sent.
    pub text: Box<[u8]>,
    /// What it says.
    pub row: T,
}

/// A product's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceRow {
    /// Which product.
    pub sku: Sku,
    /// Its price.
    pub price: Money,
    /// Since when; a price of a later time is kept.
    pub at: Timestamp,
}

/// What a feed says of a product's pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pieces {
    /// So many there are.
    Counted(i64),
    /// So many came, or went where it is below zero.
    Moved(i64),
}

/// A product's pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockRow {
    /// Which product.
    pub sku: Sku,
    /// How many.
    pub pieces: Pieces,
    /// When they were counted; a count of a later time is kept. A move has no say in that.
    pub at: Timestamp,
}

/// A product; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueRow {
    /// Its code.
    pub sku: Sku,
    /// Its name, 1 to 200 characters; a new product needs one.
    pub name: Option<String>,
    /// Its shelf, 1 to 60 characters.
    pub category: Option<String>,
    /// More words about it, up to 4,000 characters.
    pub description: Option<String>,
    /// Its price; a new product needs one.
    pub price: Option<Money>,
    /// The VAT that the price includes; standard for a new product.
    pub vat: Option<VatRate>,
    /// Whether it is for sale; a new product is.
    pub active: Option<bool>,
    /// Since when the price holds.
    pub at: Timestamp,
}

/// Rows of one kind, in the order of their feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goods {
    /// Products.
    Catalogue(Vec<Entry<CatalogueRow>>),
    /// Prices.
    Prices(Vec<Entry<PriceRow>>),
    /// Pieces.
    Stock(Vec<Entry<StockRow>>),
}

impl Goods {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Catalogue(rows) => rows.len(),
            Self::Prices(rows) => rows.len(),
            Self::Stock(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a row can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is no row at all: bytes that are no UTF-8, too few or too many fields, no JSON object, too large.
    Unreadable,
    /// A field that is needed is not there.
    Missing,
    /// A field holds what it can't.
    Invalid,
    /// It has a field that no feed of its kind has.
    UnknownField,
    /// The catalogue has no such product.
    UnknownProduct,
    /// It takes away more pieces than there are.
    NotEnough,
    /// There would be more pieces than a shop can have.
    TooMany,
    /// The shop has no such order.
    UnknownOrder,
    /// The order does not stand where the event begins.
    WrongStep,
    /// The order asks for more than there is.
    OutOfStock,
    /// The shop said no for another reason, which the words tell.
    Refused,
}

impl Reason {
    /// Every reason: those of a row by itself first, then those of the shop.
    pub const ALL: [Self; 11] = [
        Self::Unreadable,
        Self::Missing,
        Self::Invalid,
        Self::UnknownField,
        Self::UnknownProduct,
        Self::NotEnough,
        Self::TooMany,
        Self::UnknownOrder,
        Self::WrongStep,
        Self::OutOfStock,
        Self::Refused,
    ];

    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::UnknownField => "unknown_field",
            Self::UnknownProduct => "unknown_product",
            Self::NotEnough => "not_enough",
            Self::TooMany => "too_many",
            Self::UnknownOrder => "unknown_order",
            Self::WrongStep => "wrong_step",
            Self::OutOfStock => "out_of_stock",
            Self::Refused => "refused",
        }
    }

    /// The reason of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// One thing that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind of thing.
    pub reason: Reason,
    /// In which field; empty where it is the row as a whole.
    pub field: Cow<'static, str>,
    /// What is wrong, as the end of a sentence that begins with the field.
    pub words: String,
}

impl Fault {
    /// Of a field.
    pub fn of(reason: Reason, field: impl Into<Cow<'static, str>>, words: impl Into<String>) -> Self {
        Self { reason, field: field.into(), words: words.into() }
    }

    /// Of a row as a whole.
    pub fn row(words: impl Into<String>) -> Self {
        Self::of(Reason::Unreadable, "", words)
    }
}

/// Bytes of a row that are kept in its dead letter.
pub const MOST_PAYLOAD: usize = 64 * 1024;

/// A row that can't be used, to be buried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLetter {
    /// Where it stands.
    pub place: Place,
    /// Everything that is wrong with it; the first gives the letter its reason.
    pub faults: Vec<Fault>,
    /// The row, or its beginning.
    pub payload: Box<[u8]>,
    /// Whether the payload is only its beginning.
    pub cut: bool,
}

impl NewLetter {
    /// Of a row's text, of which at most [`MOST_PAYLOAD`] bytes are kept.
    pub fn new(place: Place, text: &[u8], cut: bool, faults: Vec<Fault>) -> Self {
        let kept = text.get(..MOST_PAYLOAD).unwrap_or(text);
        Self { place, faults, payload: kept.into(), cut: cut || kept.len() < text.len() }
    }
}
