//! What other programs are told of an order.
//!
//! **Invariant.** Told in the transaction of what it tells, under a name made of the order and its step. A replayed
//! invoice is history: nobody is told of it. No message holds an address or another word about a person.

use pulse_core::order::Status;
use pulse_core::{Money, OrderId, Timestamp};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::read::Order;
use crate::DbError;
use crate::webhooks::{Event, EventKind, tell};

/// What of an order goes into a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) id: OrderId,
    pub(super) status: Status,
    pub(super) total: Money,
    pub(super) country: &'a str,
    pub(super) placed_at: Timestamp,
}

impl<'a> Facts<'a> {
    fn of(order: &'a Order) -> Self {
        let Order { id, status, total, country, placed_at, .. } = order;
        Self { id: *id, status: *status, total: *total, country, placed_at: *placed_at }
    }

    fn json(&self) -> Value {
        json!({
            "order": self.id,
            "status": self.status,
            "total": self.total,
            "country": self.country,
            "placed_at": self.placed_at,
        })
    }
}

/// A cart became an order; one that needs no payment is paid from the start.
pub(super) async fn placed(tx: &impl ConnectionTrait, facts: Facts<'_>) -> Result<(), DbError> {
    let event = |id: String, kind| Event { id, kind, at: facts.placed_at, data: facts.json() };
    tell(tx, &event(format!("order:{}:1", facts.id), EventKind::OrderPlaced)).await?;
    if facts.status == Status::Paid {
        tell(tx, &event(format!("order:{}:1:paid", facts.id), EventKind::OrderPaid)).await?;
    }
    Ok(())
}

/// An order has taken a step.
pub(super) async fn moved(tx: &impl ConnectionTrait, order: &Order, now: Timestamp) -> Result<(), DbError> {
    let kind = match order.status {
        Status::Paid => EventKind::OrderPaid,
        Status::Shipped => EventKind::OrderShipped,
        Status::Delivered => EventKind::OrderDelivered,
        Status::Cancelled => EventKind::OrderCancelled,
        Status::Returned => EventKind::OrderReturned,
        Status::Placed | Status::Packed => return Ok(()),
    };
    if order.invoice.is_some() {
        return Ok(());
    }
    let id = format!("order:{}:{}", order.id, order.version);
    tell(tx, &Event { id, kind, at: now, data: Facts::of(order).json() }).await
}

/// Money has gone back to the buyer.
pub(super) async fn refunded(
    tx: &impl ConnectionTrait,
    order: &Order,
    payment: i64,
    amount: Money,
    now: Timestamp,
) -> Result<(), DbError> {
    if order.invoice.is_some() {
        return Ok(());
    }
    let id = format!("order:{}:payment:{payment}", order.id);
    let mut data = Facts::of(order).json();
    data["refund"] = json!(amount);
    tell(tx, &Event { id, kind: EventKind::OrderRefunded, at: now, data }).await
}
