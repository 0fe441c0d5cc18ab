//! How many pieces.
//!
//! **Invariant.** A [`Quantity`] is at least 1 and fits an `i64`, so it can be stored and multiplied without a cast.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number that is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no quantity: it must be at least 1")]
pub struct QuantityError(pub i64);

/// At least one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

impl Quantity {
    /// One piece.
    pub const ONE: Self = Self(1);

    /// Checks that there is at least one.
    pub const fn new(pieces: i64) -> Result<Self, QuantityError> {
        if pieces >= 1 { Ok(Self(pieces)) } else { Err(QuantityError(pieces)) }
    }

    /// The number of pieces, at least 1.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Both together, or `None` where the sum does not fit.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(pieces: i64) -> Result<Self, QuantityError> {
        Self::new(pieces)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}
