//! Amounts of money: whole pence and a currency.
//!
//! **Invariant.** Arithmetic is checked: it never wraps, never rounds, never mixes currencies.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Quantity;

/// The currencies that the shop can be run in. All of them have two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Pound sterling.
    #[default]
    Gbp,
    /// Euro.
    Eur,
    /// US dollar.
    Usd,
}

impl Currency {
    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Gbp => "GBP",
            Self::Eur => "EUR",
            Self::Usd => "USD",
        }
    }

    /// The currency of an ISO 4217 code, if the shop knows it.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Gbp, Self::Eur, Self::Usd].into_iter().find(|c| c.code() == code)
    }
}

/// Why an amount could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit 64 bits of pence.
    #[error("the amount is too large")]
    Overflow,
    /// The operands are of two currencies.
    #[error("{0:?} and {1:?} can't be added: convert one of them first")]
    Mixed(Currency, Currency),
}

/// An amount: `pence` hundredths of `currency`. May be negative (a refund, a discount).
///
/// ```
/// use pulse_core::{Money, Quantity};
/// let total = Money::gbp(255).times(Quantity::new(6).unwrap()).unwrap();
/// assert_eq!(total, Money::gbp(1530));
/// assert_eq!(total.to_string(), "15.30 GBP");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Hundredths of the currency's unit.
    pub pence: i64,
    /// What the pence are pence of.
    pub currency: Currency,
}

impl Money {
    /// An amount in pence of pounds sterling.
    pub const fn gbp(pence: i64) -> Self {
        Self { pence, currency: Currency::Gbp }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { pence: 0, currency }
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.pence.checked_add(other.pence))
    }

    /// The difference of two amounts of one currency.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.pence.checked_sub(other.pence))
    }

    /// This amount for each of `quantity` pieces.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        self.with(self.pence.checked_mul(quantity.get()))
    }

    /// The sum of amounts of `currency`; zero for none.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::Mixed(self.currency, other.currency))
        }
    }

    fn with(self, pence: Option<i64>) -> Result<Self, MoneyError> {
        pence.map(|pence| Self { pence, ..self }).ok_or(MoneyError::Overflow)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.pence < 0 { "-" } else { "" };
        let pence = self.pence.unsigned_abs();
        write!(f, "{sign}{}.{:02} {}", pence / 100, pence % 100, self.currency.code())
    }
}
