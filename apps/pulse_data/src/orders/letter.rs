//! The letters that orders send.
//!
//! **Invariant.** A letter is enqueued in the transaction of what it tells, under a key made of the order and the news.

use std::fmt::Write as _;

use pulse_core::order::PaymentMethod;
use sea_orm::ConnectionTrait;

use super::read::{self, Order};
use crate::DbError;
use crate::mail::{self, Letter};

/// Lines that a letter names; the rest is counted.
const MOST_LINES: usize = 100;

/// Tells that an order was given up because it could not be paid, where there is an address.
pub(super) async fn given_up(tx: &impl ConnectionTrait, order: &Order, reason: &str) -> Result<(), DbError> {
    let Some(to) = &order.email else { return Ok(()) };
    let letter = Letter {
        to: to.clone(),
        subject: format!("Your order {} is cancelled", order.id),
        body: format!(
            "Your payment of {} for order {} could not be taken: {reason}.\n\n\
             The order is cancelled, and nothing was charged. You are welcome to order again.\n",
            order.total, order.id
        ),
        unsubscribe: None,
    };
    mail::enqueue(tx, &format!("order-given-up:{}", order.id), &letter).await
}

/// Confirms an order that is paid, with what is in it, where there is an address.
pub(super) async fn paid(tx: &impl ConnectionTrait, order: &Order) -> Result<(), DbError> {
    let Some(to) = &order.email else { return Ok(()) };
    let money = match order.payment {
        PaymentMethod::Card => format!("Your payment of {} has come in", order.total),
        PaymentMethod::OnAccount => format!("The sum of {} goes on your account", order.total),
    };
    let letter = Letter {
        to: to.clone(),
        subject: format!("Your order {}", order.id),
        body: format!(
            "Thank you for your order {}.\n\n{money}; we are packing your parcel.\n\n{}",
            order.id,
            contents(tx, order).await?
        ),
        unsubscribe: None,
    };
    mail::enqueue(tx, &format!("order-paid:{}", order.id), &letter).await
}

/// Tells that the parcel is on its way, where there is an address.
pub(super) async fn shipped(tx: &impl ConnectionTrait, order: &Order) -> Result<(), DbError> {
    let Some(to) = &order.email else { return Ok(()) };
    let letter = Letter {
        to: to.clone(),
        subject: format!("Your order {} is on its way", order.id),
        body: format!(
            "Your parcel has left our house for {}.\n\n{}",
            order.country,
            contents(tx, order).await?
        ),
        unsubscribe: None,
    };
    mail::enqueue(tx, &format!("order-shipped:{}", order.id), &letter).await
}

/// What is in an order and what it costs, as lines of text.
async fn contents(tx: &impl ConnectionTrait, order: &Order) -> Result<String, DbError> {
    let lines = read::lines(tx, order.id, order.total.currency).await?;
    let mut text = String::new();
    for line in lines.iter().take(MOST_LINES) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {} x {} ({}) at {}", line.quantity, line.name, line.sku, line.unit);
    }
    if let Some(more) = lines.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more lines");
    }
    if order.discount.pence != 0 {
        let _ = writeln!(text, "\nTaken off: {}", order.discount);
    }
    let _ = writeln!(text, "\nTotal: {}, of which VAT {}", order.total, order.vat);
    Ok(text)
}
