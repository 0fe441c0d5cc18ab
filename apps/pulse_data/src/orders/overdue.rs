//! Orders that have waited too long for their payment.
//!
//! **Invariant.** Nothing is given up here: a job asks the gateway to call the payment off, and its answer decides. An
//! order has one such job at a time.

use std::time::Duration;

use futures::FutureExt as _;
use jobs::NewJob;
use pulse_core::{Principal, Timestamp};
use serde_json::json;

use super::payments::CAPTURE_SEQ;
use super::{OrderError, Orders, system};
use crate::{DbError, Sql as _};

/// The worker that has a payment called off; its arguments are a [`Demand`](super::Demand).
pub const CALL_OFF_WORKER: &str = "payment.call_off";

/// How often the gateway is asked before the order is left to the next look.
const ATTEMPTS: u32 = 10;

/// Orders that are looked at in one transaction.
const BATCH: usize = 500;

impl Orders {
    /// Enqueues a job for each order that has waited for its payment for as long as `patience`; answers how many there
    /// are. For the shop's own jobs alone.
    pub async fn call_off_overdue(&self, who: &Principal, patience: Duration) -> Result<usize, OrderError> {
        system(who)?;
        let now = self.clock.now();
        let by = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp(now.0.saturating_sub(by));
        let (mut after, mut found) = (0, 0);
        loop {
            let orders = self
                .repo
                .write_with((before, after), |tx, (before, after)| enqueue(tx, *before, *after).boxed())
                .await?;
            found += orders.len();
            match orders.last() {
                Some(last) if orders.len() == BATCH => after = *last,
                _ => return Ok(found),
            }
        }
    }
}

async fn enqueue(tx: &crate::Tx, before: Timestamp, after: i64) -> Result<Vec<i64>, DbError> {
    let sql = format!(
        "SELECT o.id FROM orders o JOIN payments p ON p.order_id = o.id AND p.seq = {CAPTURE_SEQ} \
         WHERE o.status = 'placed' AND o.id > $2 AND p.state = 'pending' AND p.changed_at < $1 \
         ORDER BY o.id LIMIT {BATCH}"
    );
    let rows = tx.rows(&sql, vec![before.0.into(), after.into()]).await?;
    let orders =
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect::<Result<Vec<i64>, DbError>>()?;
    let jobs: Vec<NewJob> = orders
        .iter()
        .map(|order| {
            NewJob::new(CALL_OFF_WORKER, json!({ "order": order, "payment": CAPTURE_SEQ }))
                .queue("payments")
                .max_attempts(ATTEMPTS)
                .unique(format!("call-off:{order}"))
        })
        .collect();
    jobs::enqueue_many(tx, &jobs).await?;
    Ok(orders)
}
