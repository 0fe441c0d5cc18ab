//! What a row is: the rules, in their order.
//!
//! **Invariant.** [`classify`] is total and looks at one record only: the same row gets the same verdict wherever it
//! stands. A sale or return that it lets through has a quantity of at least 1, a price of at least a penny, and an
//! amount of which a hundred thousand in one invoice add up within 64 bits.
//!
//! | order | rule | verdict |
//! |---|---|---|
//! | 1 | not eight columns; bytes that are no UTF-8; a NUL; invoice number empty or longer than 100 bytes; quantity not `-?\d+`; date not a real `YYYY-MM-DD hh:mm:ss`; price not `-?\d+(\.\d+)?`; customer neither empty nor digits (with `.0` or not) that fit 64 bits; overflow: more than 10^9 pieces, £10^9 a piece or £10^11 a row | `malformed` |
//! | 2 | description empty, blanks do not count | `no_description` |
//! | 3 | price zero or below | `no_price` |
//! | 4 | more than two decimals, trailing zeros do not count | `price_precision` |
//! | 5 | stock code (trimmed, upper case) not five digits and at most two letters | `not_goods` |
//! | 6 | invoice number begins with `C`: quantity zero or above | `bad_return` |
//! | 7 | invoice number begins with `C` | a return line |
//! | 8 | quantity zero or below | `bad_quantity` |
//! | 9 | | a sale line |
//!
//! Invoice number, description, stock code and country are trimmed. Dates are read as UTC.

use std::fmt;

use pulse_core::{Money, Quantity, Sku, Timestamp};

use super::fields;
use super::records::Record;

/// The columns, in their order.
pub const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];

/// Pieces of a row: a thousand million.
const MAX_PIECES: i64 = 1_000_000_000;
/// Pence of a piece: a thousand million pounds.
const MAX_PENCE: i64 = 100_000_000_000;
/// Pence of a row: a hundred thousand million pounds.
const MAX_AMOUNT: i64 = 10_000_000_000_000;
/// Bytes of an invoice number.
const MAX_INVOICE: usize = 100;

/// Why a row is neither a sale nor a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Not eight columns, or something in it can't be read, or a number overflows.
    Malformed,
    /// Nobody said what was sold.
    NoDescription,
    /// Nothing was paid.
    NoPrice,
    /// The price has parts of a penny.
    PricePrecision,
    /// Postage, fees, samples: not something that lies on a shelf.
    NotGoods,
    /// A cancellation that takes nothing back.
    BadReturn,
    /// A sale of nothing, or of less.
    BadQuantity,
    /// A fine row for which its invoice's cart has no room: its lines or its total would be more than a cart may have.
    /// Only the front door can say so; no single row tells it.
    Refused,
}

impl Reason {
    /// Every reason, in the order of the rules.
    pub const ALL: [Self; 8] = [
        Self::Malformed,
        Self::NoDescription,
        Self::NoPrice,
        Self::PricePrecision,
        Self::NotGoods,
        Self::BadReturn,
        Self::BadQuantity,
        Self::Refused,
    ];

    /// The name that is stored and reported.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NoDescription => "no_description",
            Self::NoPrice => "no_price",
            Self::PricePrecision => "price_precision",
            Self::NotGoods => "not_goods",
            Self::BadReturn => "bad_return",
            Self::BadQuantity => "bad_quantity",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A row that makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'r> {
    /// The invoice's number; with its `C` where it is a cancellation.
    pub invoice: &'r str,
    /// The product.
    pub sku: Sku,
    /// What the product is called on this row.
    pub description: &'r str,
    /// How many were sold, or came back.
    pub quantity: Quantity,
    /// When.
    pub at: Timestamp,
    /// For how much each.
    pub price: Money,
    /// Whose account; `None` for a guest.
    pub customer: Option<i64>,
    /// Where to.
    pub country: &'r str,
}

/// A row's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'r> {
    /// Goods were sold.
    Sale(Line<'r>),
    /// Goods came back.
    Return(Line<'r>),
    /// It makes no sense.
    Dead(Reason),
}

/// The verdict on a record. O(its bytes).
pub fn classify<'r>(record: &Record<'r>) -> Row<'r> {
    match read(record) {
        Some(row) => row,
        None => Row::Dead(Reason::Malformed),
    }
}

/// `None` where a quantity, a price or their product overflows.
fn in_bounds(pieces: i64, pence: i64) -> Option<()> {
    let (pieces, pence) = (pieces.checked_abs()?, pence.checked_abs()?);
    let amount = pence.checked_mul(pieces)?;
    (pieces <= MAX_PIECES && pence <= MAX_PENCE && amount <= MAX_AMOUNT).then_some(())
}

/// `None` for what is malformed.
fn read<'r>(record: &Record<'r>) -> Option<Row<'r>> {
    let [invoice, code, description, quantity, at, price, customer, country] = record.fields::<8>()?;
    let invoice = Some(invoice.trim()).filter(|number| (1..=MAX_INVOICE).contains(&number.len()))?;
    let description = description.trim();
    let pieces = fields::whole(quantity)?;
    let at = fields::date(at)?;
    let price = fields::pounds(price)?;
    let customer = fields::customer(customer)?;
    in_bounds(pieces, price.pence)?;

    let dead = |reason| Some(Row::Dead(reason));
    if description.is_empty() {
        return dead(Reason::NoDescription);
    }
    if !price.positive {
        return dead(Reason::NoPrice);
    }
    if price.finer {
        return dead(Reason::PricePrecision);
    }
    let Some(sku) = fields::goods(code) else { return dead(Reason::NotGoods) };
    let line = |quantity| Line {
        invoice,
        sku,
        description,
        quantity,
        at,
        price: Money::gbp(price.pence),
        customer,
        country: country.trim(),
    };
    Some(if invoice.starts_with('C') {
        match Quantity::new(-pieces) {
            Ok(quantity) => Row::Return(line(quantity)),
            Err(_) => Row::Dead(Reason::BadReturn),
        }
    } else {
        match Quantity::new(pieces) {
            Ok(quantity) => Row::Sale(line(quantity)),
            Err(_) => Row::Dead(Reason::BadQuantity),
        }
    })
}
