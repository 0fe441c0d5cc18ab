//! The letters that orders send.
//!
//! **Invariant.** A letter is enqueued in the transaction of what it tells, under a key made of the order and the news.

use sea_orm::ConnectionTrait;

use super::read::Order;
use crate::DbError;
use crate::mail::{self, Letter};

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
    };
    mail::enqueue(tx, &format!("order-given-up:{}", order.id), &letter).await
}

/// Confirms that an order is paid, where there is an address.
pub(super) async fn paid(tx: &impl ConnectionTrait, order: &Order) -> Result<(), DbError> {
    let Some(to) = &order.email else { return Ok(()) };
    let letter = Letter {
        to: to.clone(),
        subject: format!("Your order {}", order.id),
        body: format!(
            "Thank you for your order {}.\n\nYour payment of {} has come in; we are packing your parcel.\n",
            order.id, order.total
        ),
    };
    mail::enqueue(tx, &format!("order-paid:{}", order.id), &letter).await
}
