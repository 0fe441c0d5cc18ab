//! Why the fleet or the front door did not do what they were asked.
//!
//! **Invariant.** Each error says whether the outcome is certain: only `Crashed` and `Store` leave it open, and after
//! both a repeat under the same id (or checkout key) is safe.

use std::time::Duration;

use pulse_cart::CartFailure;
use pulse_core::Sku;
use pulse_core::access::Forbidden;
use pulse_core::cart::CartError;
use pulse_core::ports::{PlaceError, StoreError};

/// Why the fleet has no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// The cart does not allow it. Nothing was changed.
    #[error(transparent)]
    Cart(#[from] CartError),
    /// The store failed: repeat with the same id.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The fleet, this cart's mailbox or its owners are busy, or it crashed too often. Nothing was done.
    #[error("too busy: try again in {} ms", retry_after.as_millis())]
    Overloaded {
        /// When it is worth to try again.
        retry_after: Duration,
    },
    /// The cart ended, or took too long, with this command in its hands. Whether it was done is unknown: repeat with
    /// the same id.
    #[error(
        "the cart did not answer, and whether the command was done is unknown: repeat it with the same id"
    )]
    Crashed,
}

/// Why the front door has no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShopError {
    /// The cart does not allow it. Nothing was changed.
    #[error(transparent)]
    Cart(#[from] CartError),
    /// There is no such product, or it is no longer sold.
    #[error("there is no product {0} for sale")]
    UnknownProduct(Sku),
    /// The order was not placed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Too busy; nothing was done.
    #[error("too busy: try again in {} ms", retry_after.as_millis())]
    Overloaded {
        /// When it is worth to try again.
        retry_after: Duration,
    },
    /// Whether the command was done is unknown: repeat it with the same id.
    #[error(
        "the cart did not answer, and whether the command was done is unknown: repeat it with the same id"
    )]
    Crashed,
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The store failed: repeat with the same id.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FleetError> for ShopError {
    fn from(error: FleetError) -> Self {
        match error {
            FleetError::Cart(refusal) => Self::Cart(refusal),
            FleetError::Store(error) => Self::Store(error),
            FleetError::Overloaded { retry_after } => Self::Overloaded { retry_after },
            FleetError::Crashed => Self::Crashed,
        }
    }
}

impl FleetError {
    /// What a cart's own answer means to the fleet's callers.
    pub(crate) fn of(failure: CartFailure, retry_after: Duration) -> Self {
        match failure {
            CartFailure::Refused(refusal) => Self::Cart(refusal),
            CartFailure::Store(error) => Self::Store(error),
            CartFailure::Contended => Self::Overloaded { retry_after },
        }
    }
}
