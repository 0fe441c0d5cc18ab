//! What can be told, and telling it.
//!
//! **Invariant.** An event's id is made of what it tells, so it is the same however often it is told; an endpoint has
//! one delivery of it. A message holds numbers, codes and sums, and nothing of a person.

use jobs::NewJob;
use pulse_core::Timestamp;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{DbError, Sql as _};

/// The worker that sends a delivery; its arguments are `{"delivery": id}`.
pub const WEBHOOK_WORKER: &str = "webhook.deliver";
/// The queue that carries them.
pub const WEBHOOK_QUEUE: &str = "webhooks";
/// How often a delivery is tried: with the worker's back-off that is about four days.
pub const WEBHOOK_ATTEMPTS: u32 = 26;

/// What can have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    /// A cart became an order.
    #[serde(rename = "order.placed")]
    OrderPlaced,
    /// The payment has come in.
    #[serde(rename = "order.paid")]
    OrderPaid,
    /// The parcel is with the carrier.
    #[serde(rename = "order.shipped")]
    OrderShipped,
    /// The parcel is with the buyer.
    #[serde(rename = "order.delivered")]
    OrderDelivered,
    /// The order was given up; its stock is back.
    #[serde(rename = "order.cancelled")]
    OrderCancelled,
    /// All of the order came back.
    #[serde(rename = "order.returned")]
    OrderReturned,
    /// Money has gone back to the buyer.
    #[serde(rename = "order.refunded")]
    OrderRefunded,
    /// There is little left of a product.
    #[serde(rename = "stock.low")]
    StockLow,
    /// Somebody wanted to see whether messages arrive.
    #[serde(rename = "webhook.test")]
    Test,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::OrderPlaced,
        Self::OrderPaid,
        Self::OrderShipped,
        Self::OrderDelivered,
        Self::OrderCancelled,
        Self::OrderReturned,
        Self::OrderRefunded,
        Self::StockLow,
        Self::Test,
    ];

    /// Those that an endpoint can ask for.
    pub fn choices() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| *kind != Self::Test)
    }

    /// The name that is stored and sent.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order.placed",
            Self::OrderPaid => "order.paid",
            Self::OrderShipped => "order.shipped",
            Self::OrderDelivered => "order.delivered",
            Self::OrderCancelled => "order.cancelled",
            Self::OrderReturned => "order.returned",
            Self::OrderRefunded => "order.refunded",
            Self::StockLow => "stock.low",
            Self::Test => "webhook.test",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// Names it: the idempotency key of whoever is told.
    pub(crate) id: String,
    /// What it is.
    pub(crate) kind: EventKind,
    /// When.
    pub(crate) at: Timestamp,
    /// What of.
    pub(crate) data: Value,
}

impl Event {
    /// The body of the message.
    pub(super) fn payload(&self) -> String {
        json!({ "id": self.id, "type": self.kind, "timestamp": self.at, "data": self.data }).to_string()
    }
}

/// A condition in SQL that costs next to nothing: whether anybody wants to be told of placed or paid orders. A macro,
/// so that it can stand inside the constant text of a statement.
macro_rules! listened {
    () => {
        "EXISTS (SELECT 1 FROM webhook_endpoints WHERE enabled AND events LIKE '%\"order.p%')"
    };
}
pub(crate) use listened;

const TELL: &str = "INSERT INTO webhook_deliveries (endpoint_id, event_id, event, payload, state, attempts, created_at) \
                    SELECT id, $1, $2, $3, 'pending', 0, $4 FROM webhook_endpoints WHERE enabled AND events LIKE $5 \
                    ORDER BY id ON CONFLICT DO NOTHING RETURNING id";

/// Tells every endpoint that wants it, in the caller's transaction: two statements, one where nobody does.
pub(crate) async fn tell(tx: &impl ConnectionTrait, event: &Event) -> Result<(), DbError> {
    let values = vec![
        event.id.as_str().into(),
        event.kind.name().into(),
        event.payload().into(),
        event.at.0.into(),
        format!("%\"{}\"%", event.kind.name()).into(),
    ];
    let rows = tx.rows(TELL, values).await?;
    let deliveries =
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect::<Result<Vec<i64>, DbError>>()?;
    enqueue(tx, &deliveries).await
}

/// Enqueues the jobs that send deliveries.
pub(super) async fn enqueue(tx: &impl ConnectionTrait, deliveries: &[i64]) -> Result<(), DbError> {
    let job = |id| {
        NewJob::new(WEBHOOK_WORKER, json!({ "delivery": id }))
            .queue(WEBHOOK_QUEUE)
            .max_attempts(WEBHOOK_ATTEMPTS)
    };
    let jobs: Vec<NewJob> = deliveries.iter().map(job).collect();
    jobs::enqueue_many(tx, &jobs).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_serde_writes_and_reads() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(EventKind::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn a_message_has_an_id_a_type_a_time_and_data() {
        let event = Event {
            id: "order:7:1".to_owned(),
            kind: EventKind::OrderPlaced,
            at: Timestamp(0),
            data: json!({ "order": 7 }),
        };
        let expected = r#"{"data":{"order":7},"id":"order:7:1","timestamp":"1970-01-01T00:00:00Z","type":"order.placed"}"#;
        assert_eq!(event.payload(), expected);
    }
}
