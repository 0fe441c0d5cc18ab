//! Money that an order owes or gets back, and the jobs that move it.
//!
//! **Invariant.** Whatever is to move has a row here and a job, committed together; the gateway's key is made of the
//! order's own checkout key, so sending a demand again can't move money again. Money that came in for an order that
//! was given up meanwhile goes back.

use jobs::NewJob;
use pulse_core::order::{PaymentMethod, Status, Step};
use pulse_core::ports::Charge;
use pulse_core::{Currency, Money, OrderId, Principal, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::json;

use super::read::{self, Order};
use super::{OrderError, letter, life, news};
use crate::{DbError, Sql as _, audit};

/// The number of the intent that a checkout makes.
pub const CAPTURE_SEQ: i64 = 0;

/// The worker that captures payments; its arguments are a [`Demand`].
pub const CAPTURE_WORKER: &str = "payment.capture";
/// The worker that gives money back; its arguments are a [`Demand`].
pub const REFUND_WORKER: &str = "payment.refund";
/// How often the gateway is asked for one movement at most. With the jobs' back-off (a second, doubled up to an hour)
/// that is an hour and then two weeks of once an hour.
pub const ATTEMPTS: u32 = 12 + 14 * 24;

/// Which way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// To the shop.
    Capture,
    /// Back to the buyer.
    Refund,
}

impl Kind {
    /// The name that is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
        }
    }
}

/// How far a movement of money is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaymentState {
    /// A job is at it.
    Pending,
    /// It has moved.
    Settled,
    /// The gateway said no.
    Declined,
    /// Nobody wants it any more.
    Void,
}

impl PaymentState {
    const ALL: [Self; 4] = [Self::Pending, Self::Settled, Self::Declined, Self::Void];

    /// The name that is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Settled => "settled",
            Self::Declined => "declined",
            Self::Void => "void",
        }
    }
}

/// One movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its number within the order; [`CAPTURE_SEQ`] is the checkout's.
    pub seq: i64,
    /// Which way.
    pub kind: Kind,
    /// How much.
    pub amount: Money,
    /// How far it is.
    pub state: PaymentState,
    /// The gateway's reference, or its reason for a refusal.
    pub reference: Option<String>,
    /// When its state was last changed.
    pub changed_at: Timestamp,
}

/// The arguments of a payment job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Demand {
    /// Of this order.
    pub order: OrderId,
    /// The movement's number.
    pub payment: i64,
}

/// Which movement a charge is about; `None` where its key is none of ours.
pub fn demand_of(charge: &Charge) -> Option<Demand> {
    let payment = match charge.key.split_once(':')? {
        ("capture", _) => CAPTURE_SEQ,
        ("refund", rest) => rest.rsplit_once(':')?.1.parse().ok()?,
        _ => return None,
    };
    Some(Demand { order: charge.order, payment })
}

/// Enqueues the job that makes a movement.
pub(super) async fn enqueue(
    tx: &impl ConnectionTrait,
    kind: Kind,
    order: OrderId,
    seq: i64,
) -> Result<(), DbError> {
    let worker = match kind {
        Kind::Capture => CAPTURE_WORKER,
        Kind::Refund => REFUND_WORKER,
    };
    let args = json!({ "order": order.0, "payment": seq });
    jobs::enqueue(tx, &NewJob::new(worker, args).queue("payments").max_attempts(ATTEMPTS)).await?;
    Ok(())
}

const COLUMNS: &str = "seq, kind, amount_pence, state, reference, changed_at";

fn read_row(row: &QueryResult, currency: Currency) -> Result<Payment, DbError> {
    let kind: String = row.try_get_by_index(1)?;
    let state: String = row.try_get_by_index(3)?;
    let corrupt = |what: &str| DbError::Corrupt(format!("a payment of the unknown {what}"));
    Ok(Payment {
        seq: row.try_get_by_index(0)?,
        kind: [Kind::Capture, Kind::Refund]
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or_else(|| corrupt(&format!("kind {kind:?}")))?,
        amount: Money { pence: row.try_get_by_index(2)?, currency },
        state: PaymentState::ALL
            .into_iter()
            .find(|known| known.name() == state)
            .ok_or_else(|| corrupt(&format!("state {state:?}")))?,
        reference: row.try_get_by_index(4)?,
        changed_at: Timestamp(row.try_get_by_index(5)?),
    })
}

/// An order's movements of money, in their order.
pub(super) async fn of(
    db: &impl ConnectionTrait,
    order: OrderId,
    currency: Currency,
) -> Result<Vec<Payment>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE order_id = $1 ORDER BY seq");
    let rows = db.rows(&sql, vec![order.0.into()]).await?;
    rows.iter().map(|row| read_row(row, currency)).collect()
}

async fn one(db: &impl ConnectionTrait, order: &Order, seq: i64) -> Result<Payment, OrderError> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE order_id = $1 AND seq = $2");
    let row = db.row(&sql, vec![order.id.0.into(), seq.into()]).await;
    match row? {
        Some(row) => Ok(read_row(&row, order.total.currency)?),
        None => Err(OrderError::NotFound(order.id)),
    }
}

/// What the gateway is to be told; `None` where there is nothing (any more) to move. `sent_before`: the gateway may
/// have it already, so a demand that was called off since is sent too, and its money then goes back.
pub(super) async fn charge(
    db: &impl ConnectionTrait,
    order: &Order,
    seq: i64,
    sent_before: bool,
) -> Result<Option<Charge>, OrderError> {
    let payment = one(db, order, seq).await?;
    let key = match payment.kind {
        Kind::Capture => format!("capture:{}", order.key),
        Kind::Refund => format!("refund:{}:{seq}", order.key),
    };
    let due = payment.state == PaymentState::Pending || (sent_before && payment.state == PaymentState::Void);
    Ok(due.then_some(Charge { key, order: order.id, amount: payment.amount }))
}

pub(super) async fn set_state(
    tx: &impl ConnectionTrait,
    order: OrderId,
    seq: i64,
    state: PaymentState,
    reference: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = "UPDATE payments SET state = $3, reference = COALESCE($4, reference), changed_at = $5 \
               WHERE order_id = $1 AND seq = $2";
    let reference = reference.map(str::to_owned).into();
    let values = vec![order.0.into(), seq.into(), state.name().into(), reference, now.0.into()];
    tx.exec(sql, values).await?;
    Ok(())
}

/// Notes that an amount goes back: by a job for a card, settled outside otherwise. Nothing for nothing.
pub(super) async fn refund(
    tx: &impl ConnectionTrait,
    order: &Order,
    amount: Money,
    now: Timestamp,
) -> Result<(), DbError> {
    if amount.pence == 0 {
        return Ok(());
    }
    let state = match order.payment {
        PaymentMethod::Card => PaymentState::Pending,
        PaymentMethod::OnAccount => PaymentState::Settled,
    };
    // The order's row is held, so the number is free.
    let sql = "INSERT INTO payments (order_id, seq, kind, amount_pence, state, changed_at) \
               SELECT $1, MAX(seq) + 1, 'refund', $2, $3, $4 FROM payments WHERE order_id = $1 RETURNING seq";
    let values = vec![order.id.0.into(), amount.pence.into(), state.name().into(), now.0.into()];
    let row = tx.row(sql, values).await?;
    match (row, state) {
        (Some(row), PaymentState::Pending) => {
            enqueue(tx, Kind::Refund, order.id, row.try_get_by_index(0)?).await
        }
        _ => Ok(()),
    }
}

/// The gateway has moved the money.
pub(super) async fn settled(
    tx: &impl ConnectionTrait,
    who: &Principal,
    order: Order,
    seq: i64,
    reference: Option<&str>,
    now: Timestamp,
) -> Result<Order, OrderError> {
    let payment = one(tx, &order, seq).await?;
    if payment.state == PaymentState::Settled {
        return Ok(order);
    }
    set_state(tx, order.id, seq, PaymentState::Settled, reference, now).await?;
    let details = json!({ "payment": seq, "pence": payment.amount.pence, "reference": reference });
    audit::record(tx, who, "payment.settle", &format!("order:{}", order.id), details).await?;
    match (payment.kind, order.status) {
        (Kind::Refund, _) => {
            news::refunded(tx, &order, seq, payment.amount, now).await?;
            Ok(order)
        }
        (Kind::Capture, Status::Placed) => {
            let order = life::advance(tx, who, order, Step::Pay, now).await?;
            letter::paid(tx, &order).await?;
            Ok(order)
        }
        // It was given up while the gateway was at work.
        (Kind::Capture, _) => {
            refund(tx, &order, payment.amount, now).await?;
            Ok(order)
        }
    }
}

/// The gateway never will. An order that can't be paid is given up; a refused refund stays to be looked at.
pub(super) async fn declined(
    tx: &impl ConnectionTrait,
    who: &Principal,
    order: Order,
    seq: i64,
    reason: &str,
    now: Timestamp,
) -> Result<Order, OrderError> {
    let payment = one(tx, &order, seq).await?;
    if payment.state != PaymentState::Pending {
        return Ok(order);
    }
    set_state(tx, order.id, seq, PaymentState::Declined, Some(reason), now).await?;
    let details = json!({ "payment": seq, "pence": payment.amount.pence, "reason": reason });
    audit::record(tx, who, "payment.decline", &format!("order:{}", order.id), details).await?;
    match (payment.kind, order.status) {
        (Kind::Capture, Status::Placed) => {
            let order = life::advance(tx, who, order, Step::Cancel, now).await?;
            letter::given_up(tx, &order, reason).await?;
            Ok(order)
        }
        _ => Ok(order),
    }
}

/// The gateway is asked for the last time and nobody knows yet whether the money has moved. Nothing is decided blindly: order
/// and payment stay as they are, and the audit trail says that somebody has to look.
pub(super) async fn unresolved(
    tx: &impl ConnectionTrait,
    who: &Principal,
    order: &Order,
    seq: i64,
    error: &str,
) -> Result<(), OrderError> {
    let payment = one(tx, order, seq).await?;
    let details = json!({ "payment": seq, "pence": payment.amount.pence, "error": error });
    audit::record(tx, who, "payment.unresolved", &format!("order:{}", order.id), details).await?;
    Ok(())
}

/// What giving an order up does to its money: a capture under way is called off, a captured one goes back.
pub(super) async fn call_off(
    tx: &impl ConnectionTrait,
    order: &Order,
    now: Timestamp,
) -> Result<(), OrderError> {
    let capture = one(tx, order, CAPTURE_SEQ).await?;
    match capture.state {
        PaymentState::Pending => {
            set_state(tx, order.id, CAPTURE_SEQ, PaymentState::Void, None, now).await?;
        }
        PaymentState::Settled => refund(tx, order, capture.amount, now).await?,
        PaymentState::Declined | PaymentState::Void => {}
    }
    Ok(())
}

/// Reads the order that a payment belongs to, held until the transaction ends.
pub(super) async fn held(tx: &impl ConnectionTrait, id: OrderId) -> Result<Order, OrderError> {
    read::lock(tx, id).await?.ok_or(OrderError::NotFound(id))
}
