//! An order: what it is made of, and the life that it leads.
//!
//! **Invariant.** Status changes only by [`Status::after`]; the match over status and step is exhaustive, so a new
//! status does not compile until each step has an answer for it.

use serde::{Deserialize, Serialize};

use crate::pricing::PricedCart;
use crate::{CartId, CheckoutKey, Money, OrderId, Sku, Timestamp, UserId, Version};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted; stock is taken; the payment is under way.
    Placed,
    /// The payment has come in.
    Paid,
    /// In its parcel.
    Packed,
    /// With the carrier.
    Shipped,
    /// With the buyer.
    Delivered,
    /// Given up before it was shipped; the stock is back.
    Cancelled,
    /// All of it came back.
    Returned,
}

/// What moves an order on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The payment was captured.
    Pay,
    /// Put into a parcel.
    Pack,
    /// Handed to the carrier.
    Ship,
    /// Arrived.
    Deliver,
    /// Give it up.
    Cancel,
    /// Everything came back.
    Return,
}

/// A step that the status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from:?} can't take the step {step:?}")]
pub struct WrongStep {
    /// Where the order stands.
    pub from: Status,
    /// What was asked.
    pub step: Step,
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// By card, captured through the gateway by a job.
    Card,
    /// On the buyer's account, settled outside the shop; only who may quote prices may use it.
    OnAccount,
}

impl PaymentMethod {
    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::OnAccount => "on_account",
        }
    }

    /// The method of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Card, Self::OnAccount].into_iter().find(|method| method.name() == name)
    }
}

/// Through which door an order came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// The shop's own pages and API.
    Web,
    /// A replayed invoice of this number.
    Replay {
        /// The invoice number in the source.
        invoice: String,
    },
}

/// A request to turn a frozen cart into an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The client's name for this checkout.
    pub key: CheckoutKey,
    /// The cart, emptied in the same transaction.
    pub cart: CartId,
    /// The version under which it was frozen: the fence.
    pub cart_version: Version,
    /// Its lines with their prices.
    pub priced: PricedCart,
    /// Who it is for.
    pub buyer: Option<UserId>,
    /// Where confirmations go, for guests too.
    pub email: Option<String>,
    /// Where it goes.
    pub country: String,
    /// How it is paid.
    pub payment: PaymentMethod,
    /// Through which door it came.
    pub channel: Channel,
    /// When, in the shop's own time (a replay's invoice date).
    pub placed_at: Timestamp,
}

/// The receipt of a placed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedOrder {
    /// Its number.
    pub id: OrderId,
    /// The checkout that made it.
    pub key: CheckoutKey,
    /// The cart that it was: a key that another cart has used is refused.
    pub cart: CartId,
    /// Whose it is.
    pub buyer: Option<UserId>,
    /// Where it stands.
    pub status: Status,
    /// What it costs.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// A product of which there is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// The product.
    pub sku: Sku,
    /// How many were asked for, over all lines.
    pub wanted: i64,
    /// How many are left; 0 also for a product that is unknown or no longer sold.
    pub left: i64,
}

impl Status {
    /// Every status, in the order of a life that goes well; the two ends last.
    pub const ALL: [Self; 7] = [
        Self::Placed,
        Self::Paid,
        Self::Packed,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
        Self::Returned,
    ];

    /// Where a step leads from here.
    pub const fn after(self, step: Step) -> Result<Self, WrongStep> {
        use Status::{Cancelled, Delivered, Packed, Paid, Placed, Returned, Shipped};
        match (self, step) {
            (Placed, Step::Pay) => Ok(Paid),
            (Paid, Step::Pack) => Ok(Packed),
            (Packed, Step::Ship) => Ok(Shipped),
            (Shipped, Step::Deliver) => Ok(Delivered),
            (Placed | Paid | Packed, Step::Cancel) => Ok(Cancelled),
            (Shipped | Delivered, Step::Return) => Ok(Returned),
            (
                Placed | Paid | Packed | Shipped | Delivered | Cancelled | Returned,
                Step::Pay | Step::Pack | Step::Ship | Step::Deliver | Step::Cancel | Step::Return,
            ) => Err(WrongStep { from: self, step }),
        }
    }

    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }

    /// The status of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}
