//! An order's way through its life, one step at a time.
//!
//! **Invariant.** Status changes only where [`Status::after`] allows it, under the order's row lock and with its version
//! counted up; a given-up order's goods are back on the shelf in the same transaction.

use pulse_core::access::Forbidden;
use pulse_core::order::{Status, Step};
use pulse_core::{Permission, Principal, Timestamp};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::read::{self, Order};
use super::{OrderError, letter, news, payments, returns};
use crate::catalog::stock::{Pieces, put_back};
use crate::{Sql as _, audit};

/// Whether this principal may see this order.
pub(super) fn sees(who: &Principal, order: &Order) -> bool {
    owns(who, order) || who.may(Permission::SeeOrders)
}

/// Whether it is this principal's own order.
pub(super) fn owns(who: &Principal, order: &Order) -> bool {
    who.user().is_some() && who.user() == order.buyer
}

/// Whether nothing of it is packed yet: so long its buyer may give it up.
pub(super) const fn is_loose(status: Status) -> bool {
    matches!(status, Status::Placed | Status::Paid)
}

/// Whether this principal, who sees the order, may move it on like that.
pub(super) fn permit(who: &Principal, order: &Order, step: Step) -> Result<(), Forbidden> {
    match step {
        // Nobody can say that money has come in but the part that asked the gateway.
        Step::Pay if matches!(who, Principal::System(_)) => Ok(()),
        Step::Pay => Err(Forbidden { permission: Permission::FulfilOrders }),
        Step::Cancel if owns(who, order) && is_loose(order.status) => Ok(()),
        Step::Pack | Step::Ship | Step::Deliver | Step::Cancel => who.require(Permission::FulfilOrders),
        Step::Return => who.require(Permission::TakeReturns),
    }
}

/// Takes a step with everything that goes with it.
pub(super) async fn step(
    tx: &impl ConnectionTrait,
    who: &Principal,
    order: Order,
    step: Step,
    now: Timestamp,
) -> Result<Order, OrderError> {
    match step {
        Step::Pay => {
            order.status.after(step)?;
            payments::settled(tx, who, order, payments::CAPTURE_SEQ, None, now).await
        }
        Step::Cancel => {
            order.status.after(step)?;
            payments::call_off(tx, &order, now).await?;
            advance(tx, who, order, step, now).await
        }
        Step::Return => returns::all(tx, who, order, now).await,
        Step::Ship => {
            let order = advance(tx, who, order, step, now).await?;
            letter::shipped(tx, &order).await?;
            Ok(order)
        }
        Step::Pack | Step::Deliver => advance(tx, who, order, step, now).await,
    }
}

/// Moves an order on whose row is held: status, version, event, audit, news; and the goods where it is given up.
pub(super) async fn advance(
    tx: &impl ConnectionTrait,
    who: &Principal,
    mut order: Order,
    step: Step,
    now: Timestamp,
) -> Result<Order, OrderError> {
    let from = order.status;
    order.status = from.after(step)?;
    order.version += 1;
    let id = order.id;
    let sql = "UPDATE orders SET status = $2, version = $3 WHERE id = $1";
    let values = vec![id.0.into(), order.status.name().into(), order.version.into()];
    tx.exec(sql, values).await?;
    let sql = "INSERT INTO order_events (order_id, version, status, who, at) VALUES ($1, $2, $3, $4, $5)";
    let values = vec![
        id.0.into(),
        order.version.into(),
        order.status.name().into(),
        who.to_string().into(),
        now.0.into(),
    ];
    tx.exec(sql, values).await?;
    if order.status == Status::Cancelled {
        let mut goods = Pieces::new();
        for line in read::lines(tx, id, order.total.currency).await? {
            *goods.entry(line.sku).or_insert(0) += line.quantity - line.returned;
        }
        put_back(tx, &goods).await?;
    }
    let details = json!({ "from": from.name(), "to": order.status.name() });
    audit::record(tx, who, "order.step", &format!("order:{id}"), details).await?;
    news::moved(tx, &order, now).await?;
    Ok(order)
}
