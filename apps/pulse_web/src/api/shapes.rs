//! The shapes that several resources speak.
//!
//! **Invariant.** A shape is written once, here or with its resource; the domain's own types never leave as they are,
//! so that they can change without the API noticing.

use pulse_core::{Currency, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::field::{Int, Pence};

/// A currency, by its ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default)]
#[schema(as = Currency)]
pub(crate) enum CurrencyCode {
    /// Pound sterling.
    #[default]
    #[serde(rename = "GBP")]
    Gbp,
    /// Euro.
    #[serde(rename = "EUR")]
    Eur,
    /// US dollar.
    #[serde(rename = "USD")]
    Usd,
}

impl From<Currency> for CurrencyCode {
    fn from(currency: Currency) -> Self {
        match currency {
            Currency::Gbp => Self::Gbp,
            Currency::Eur => Self::Eur,
            Currency::Usd => Self::Usd,
        }
    }
}

impl From<CurrencyCode> for Currency {
    fn from(code: CurrencyCode) -> Self {
        match code {
            CurrencyCode::Gbp => Self::Gbp,
            CurrencyCode::Eur => Self::Eur,
            CurrencyCode::Usd => Self::Usd,
        }
    }
}

/// An amount of money.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Money)]
pub(crate) struct MoneyView {
    /// Hundredths of the currency's unit; below zero for what is taken off.
    #[schema(example = 255)]
    pence: i64,
    /// What they are hundredths of.
    currency: CurrencyCode,
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self { pence: money.pence, currency: money.currency.into() }
    }
}

/// A price to be set.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPrice {
    /// Hundredths of the currency's unit.
    pence: Pence,
    /// What they are hundredths of; GBP where absent.
    #[serde(default)]
    #[schema(required = false)]
    currency: CurrencyCode,
}

impl From<NewPrice> for Money {
    fn from(price: NewPrice) -> Self {
        Self { pence: price.pence.get(), currency: price.currency.into() }
    }
}

/// The VAT that a price includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VatRate {
    /// 20 %.
    #[default]
    Standard,
    /// 5 %.
    Reduced,
    /// 0 %.
    Zero,
}

impl From<pulse_core::pricing::VatRate> for VatRate {
    fn from(rate: pulse_core::pricing::VatRate) -> Self {
        use pulse_core::pricing::VatRate as Core;
        match rate {
            Core::Standard => Self::Standard,
            Core::Reduced => Self::Reduced,
            Core::Zero => Self::Zero,
        }
    }
}

impl From<VatRate> for pulse_core::pricing::VatRate {
    fn from(rate: VatRate) -> Self {
        match rate {
            VatRate::Standard => Self::Standard,
            VatRate::Reduced => Self::Reduced,
            VatRate::Zero => Self::Zero,
        }
    }
}

/// Rows of a page.
pub(crate) type PageSize = Int<1, 100>;

/// The rows a page has where the request does not say.
pub(crate) fn page_size(limit: Option<PageSize>) -> u32 {
    limit.and_then(|limit| u32::try_from(limit.get()).ok()).unwrap_or(20)
}
