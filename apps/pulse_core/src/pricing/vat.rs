//! The VAT that listed prices include.
//!
//! **Invariant.** VAT is taken out of what is really paid, once a rate, and quoted lines carry none.

use serde::{Deserialize, Serialize};

use super::allocate::share;
use crate::cart::{Basis, Line};
use crate::{Currency, Money};

/// The VAT that a listed price includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
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

impl VatRate {
    /// Every rate, highest first.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Reduced, Self::Zero];

    /// Per cent on top of the net price.
    pub const fn percent(self) -> i64 {
        match self {
            Self::Standard => 20,
            Self::Reduced => 5,
            Self::Zero => 0,
        }
    }
}

/// What all listed lines of one rate cost, and the VAT in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VatShare {
    /// The rate.
    pub rate: VatRate,
    /// What is paid at this rate, VAT included, promotions taken off.
    pub gross: Money,
    /// The VAT in it.
    pub vat: Money,
}

/// Sums what is left to pay by rate and takes the VAT out of each sum.
pub(super) fn shares(lines: &[Line], left: &[i64], currency: Currency) -> Vec<VatShare> {
    let of_rate = |rate| {
        let mut amounts = lines
            .iter()
            .zip(left)
            .filter(|(line, _)| line.price.basis == Basis::Listed(rate))
            .map(|(_, left)| *left)
            .peekable();
        amounts.peek()?;
        let gross: i64 = amounts.sum();
        let vat = share(gross, rate.percent(), 100 + rate.percent());
        let money = |pence| Money { pence, currency };
        Some(VatShare { rate, gross: money(gross), vat: money(vat) })
    };
    VatRate::ALL.into_iter().filter_map(of_rate).collect()
}
