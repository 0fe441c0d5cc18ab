//! A cart: lines, and whether it is frozen for a checkout.
//!
//! **Invariant.** State changes only by [`Cart::apply`]ing the events that [`decide`] returned for it; a cart's
//! lines have distinct keys, one currency, and a total that fits. A line keeps the price at which it was added:
//! the same product at another price is another line.

mod decide;
mod line;
mod recent;

pub use decide::{CartError, Command, Event, FREEZE_LEASE, Limits, decide};
pub use line::{Basis, Line, LineKey, Price};
pub use recent::Recent;

use serde::{Deserialize, Serialize};

use crate::{CheckoutKey, Timestamp, Version};

/// What a buyer has gathered so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cart {
    /// In the order in which they were first added.
    pub lines: Vec<Line>,
    /// Set from the start of a checkout until it is placed, given up, or its lease is over.
    pub freeze: Option<Freeze>,
}

/// A checkout that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// The checkout's name; the order that it makes carries it too.
    pub key: CheckoutKey,
    /// From here on an edit thaws the cart by itself: the checkout's process has died.
    pub until: Timestamp,
}

/// A cart as its store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredCart {
    /// Which state it is; [`Version::NONE`] for a cart that has no row.
    pub version: Version,
    /// The lines and the freeze.
    pub cart: Cart,
    /// The last accepted commands with their replies.
    pub recent: Recent,
}

impl Cart {
    /// Pieces over all lines; saturates.
    pub fn pieces(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| i64::saturating_add(sum, line.quantity.get()))
    }

    /// The line of that key.
    pub fn line(&self, key: &LineKey) -> Option<&Line> {
        self.lines.iter().find(|line| line.key() == *key)
    }

    /// Whether an edit is refused at `now` because a checkout is under way.
    pub fn is_frozen(&self, now: Timestamp) -> bool {
        self.freeze.as_ref().is_some_and(|freeze| now < freeze.until)
    }
}
