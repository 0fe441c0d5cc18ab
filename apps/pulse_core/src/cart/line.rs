//! One line of a cart, and the price that it keeps.
//!
//! **Invariant.** A line is named by its product *and* its price; the name has a text form for addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::pricing::VatRate;
use crate::{Currency, InvalidId, Money, Quantity, Sku};

/// Where a price comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The catalogue's price at the time of adding, VAT included at this rate; promotions apply.
    Listed(VatRate),
    /// Given by somebody who may quote; taken as it stands: no promotion, no VAT.
    Quoted,
}

/// The price of one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Price {
    /// What one piece costs; not negative.
    pub unit: Money,
    /// Who says so.
    pub basis: Basis,
}

/// Names a line within its cart. Text form: `85123A@255s-GBP`: code, pence, then `s`, `r` or `z` for the listed
/// price's VAT rate or `q` for a quote, and the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineKey {
    /// The product.
    pub sku: Sku,
    /// At this price.
    pub price: Price,
}

/// So many pieces of a product at a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The product.
    pub sku: Sku,
    /// How many.
    pub quantity: Quantity,
    /// Each for this much.
    pub price: Price,
}

impl Line {
    /// The line's name.
    pub const fn key(&self) -> LineKey {
        LineKey { sku: self.sku, price: self.price }
    }
}

impl Basis {
    /// One letter for it: `s`, `r` or `z` for a listed price's VAT rate, `q` for a quote.
    pub const fn letter(self) -> char {
        match self {
            Self::Listed(VatRate::Standard) => 's',
            Self::Listed(VatRate::Reduced) => 'r',
            Self::Listed(VatRate::Zero) => 'z',
            Self::Quoted => 'q',
        }
    }

    /// The basis of a [`letter`](Self::letter).
    pub fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            's' => Self::Listed(VatRate::Standard),
            'r' => Self::Listed(VatRate::Reduced),
            'z' => Self::Listed(VatRate::Zero),
            'q' => Self::Quoted,
            _ => return None,
        })
    }
}

impl fmt::Display for LineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Money { pence, currency } = self.price.unit;
        write!(f, "{}@{pence}{}-{}", self.sku, self.price.basis.letter(), currency.code())
    }
}

impl FromStr for LineKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse(text).ok_or_else(|| InvalidId(text.to_owned(), "cart line (like 85123A@255s-GBP)"))
    }
}

fn parse(text: &str) -> Option<LineKey> {
    let (sku, price) = text.split_once('@')?;
    let (amount, currency) = price.split_once('-')?;
    let letter = amount.chars().last()?;
    let pence: i64 = amount.strip_suffix(letter)?.parse().ok().filter(|pence| *pence >= 0)?;
    let unit = Money { pence, currency: Currency::from_code(currency)? };
    Some(LineKey { sku: Sku::new(sku).ok()?, price: Price { unit, basis: Basis::from_letter(letter)? } })
}
