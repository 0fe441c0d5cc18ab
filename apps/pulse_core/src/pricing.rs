//! What a cart costs: promotions, then VAT.
//!
//! **Invariant.** A total is never negative, a discount never more than what it is taken from, and quoted lines are
//! taken as they stand: neither promotions nor VAT touch them. The same lines and promotions in any order cost the
//! same.
//!
//! # The order of application
//!
//! 1. [`Rule::BuyNGetM`], product by product: the pieces of all listed lines of the product are counted together,
//!    and the cheapest of them are free.
//! 2. [`Rule::Percentage`], on what is left after 1.
//! 3. [`Rule::BasketThreshold`], on what all listed lines cost after 1 and 2. Quoted lines do not count towards it.
//!
//! Promotions of one kind do not pile up: of several that cover the same product (or basket), the one that is
//! better for the buyer counts, and the one whose code sorts first where they are equally good.
//! A rule whose numbers make no sense (buy nothing, 0 or more than 100 per cent, nothing off) has no effect.
//!
//! # Rounding
//!
//! A percentage is worked out once on the sum of all lines that it covers, and half a penny goes to the buyer. An
//! amount that belongs to several lines is spread in proportion by the largest remainder, so the parts always add
//! up to it. The VAT in an included price is `gross x rate / (100 + rate)`, rounded half up once a rate and
//! order; a discount on the whole basket lowers each rate's gross in proportion.

mod allocate;
mod promotions;
mod vat;

use serde::{Deserialize, Serialize};

pub use vat::{VatRate, VatShare};

use crate::cart::Line;
use crate::{Money, MoneyError, Sku};

/// A cart with its prices worked out. Only [`price`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedCart {
    lines: Vec<Line>,
    line_discounts: Vec<Money>,
    applied: Vec<Applied>,
    vat_shares: Vec<VatShare>,
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

    /// What promotions take off each line, in the order of [`lines`](Self::lines); their sum is
    /// [`discount`](Self::discount).
    pub fn line_discounts(&self) -> &[Money] {
        &self.line_discounts
    }

    /// The promotions that took something off, in the order of application.
    pub fn applied(&self) -> &[Applied] {
        &self.applied
    }

    /// The total by VAT rate, highest rate first; rates without a line are left out, and so are quoted lines.
    pub fn vat_shares(&self) -> &[VatShare] {
        &self.vat_shares
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

/// A promotion that took something off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The promotion's code.
    pub code: String,
    /// So much off, over all lines; more than zero.
    pub amount: Money,
}

/// A rule that makes listed lines cheaper.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Promotion {
    /// Its name for people and for the order.
    pub code: String,
    /// What it does.
    pub rule: Rule,
}

/// The kinds of promotion, in the order in which they are applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Rule {
    /// Pieces of the product are counted in groups: `buy` are paid, up to `free` more come with them, also in a
    /// last group that is not full. The cheapest pieces are the free ones.
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
    /// An amount off once the listed lines cost at least so much; never more than they cost.
    BasketThreshold {
        /// From this sum on, in pence.
        at_least_pence: i64,
        /// So much off, in pence.
        off_pence: i64,
    },
}

/// Works out what lines cost. Refuses lines of two currencies and sums that do not fit. Amounts of thresholds are
/// in the lines' currency. O(lines x log lines + products x promotions).
///
/// ```
/// use pulse_core::cart::{Basis, Line, Price};
/// use pulse_core::pricing::{Promotion, Rule, VatRate, price};
/// use pulse_core::{Money, Quantity, Sku};
///
/// let mug = Line {
///     sku: Sku::new("21181")?,
///     quantity: Quantity::new(3)?,
///     price: Price { unit: Money::gbp(200), basis: Basis::Listed(VatRate::Standard) },
/// };
/// let two_and_one = Promotion {
///     code: "3FOR2".into(),
///     rule: Rule::BuyNGetM { sku: mug.sku, buy: 2, free: 1 },
/// };
/// let priced = price(&[mug], &[two_and_one])?;
/// assert_eq!(priced.total(), Money::gbp(400));
/// assert_eq!(priced.vat(), Money::gbp(67));
/// assert_eq!(priced.applied()[0].amount, Money::gbp(200));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn price(lines: &[Line], promotions: &[Promotion]) -> Result<PricedCart, MoneyError> {
    let currency = lines.first().map(|line| line.price.unit.currency).unwrap_or_default();
    let gross: Vec<Money> =
        lines.iter().map(|line| line.price.unit.times(line.quantity)).collect::<Result<_, _>>()?;
    let subtotal = Money::sum(currency, gross.iter().copied())?;

    let pence = |pence| Money { pence, currency };
    let left = promotions::apply(lines, gross.iter().map(|amount| amount.pence).collect(), promotions);
    let total = pence(left.pence.iter().sum());
    let vat_shares = vat::shares(lines, &left.pence, currency);
    Ok(PricedCart {
        lines: lines.to_vec(),
        line_discounts: gross
            .iter()
            .zip(&left.pence)
            .map(|(gross, left)| pence(gross.pence - left))
            .collect(),
        applied: left
            .applied
            .into_iter()
            .map(|(code, amount)| Applied { code: code.to_owned(), amount: pence(amount) })
            .collect(),
        vat: pence(vat_shares.iter().map(|share| share.vat.pence).sum()),
        vat_shares,
        subtotal,
        discount: pence(subtotal.pence - total.pence),
        total,
    })
}
