//! Moving money: the workers of `payment.capture` and `payment.refund`.
//!
//! **Invariant.** The gateway is asked first and the shop notes its answer after, both under the payment's own key. A
//! crash in between is healed by the next attempt, which gets the same answer. Money that was taken for an order that
//! was given up meanwhile goes back. An order whose payment has an unknown outcome is never given up blindly:
//!
//! | failures so far | a capture | a refund |
//! |---|---|---|
//! | fewer than [`CAPTURES`], about an hour | is sent again | is sent again |
//! | up to [`PAYMENT_ATTEMPTS`], two weeks | is called off at the gateway, whose answer is the last word: paid, or given up with its stock back and a letter | is sent again |
//! | the last attempt failed too | an audit row `payment.unresolved`, a discarded job, and the order as it was: a person asks the gateway's people | the same |
//!
//! That row is written before the last question is asked, so that it is there also when the process dies with the
//! question. Where the answer comes after all, a later row of the same order says so.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::{Job, Outcome, Wake, Worker};
use pulse_core::Principal;
use pulse_core::ports::{Charge, ChargeOutcome, GatewayError, PaymentGateway, PaymentNews, PortFuture};
use pulse_data::mail::MAIL_QUEUE;
use pulse_data::orders::{
    CALL_OFF_WORKER, CAPTURE_WORKER, Demand, OrderError, Orders, PAYMENT_ATTEMPTS, PaymentKind,
    REFUND_WORKER, demand_of,
};
use pulse_data::webhooks::WEBHOOK_QUEUE;

use crate::runner::PAYMENT_QUEUE;
use crate::stats::{EffectStats, add};

/// In whose name money is moved.
const PAYMENTS: Principal = Principal::System("payments");

/// Captures that may fail before the capture is called off.
pub const CAPTURES: u32 = 12;
const _: () = assert!(CAPTURES < PAYMENT_ATTEMPTS, "a capture can be called off");

/// How long the gateway may take; less than an attempt, so that its silence is an answer of this worker's.
const PATIENCE: Duration = Duration::from_secs(20);

/// One of the two payment workers.
pub struct MovePayment {
    kind: PaymentKind,
    orders: Orders,
    gateway: Arc<dyn PaymentGateway>,
    wake: Wake,
}

impl MovePayment {
    /// The worker that moves money that way. `wake` is told when a mail waits.
    pub fn new(kind: PaymentKind, orders: Orders, gateway: Arc<dyn PaymentGateway>, wake: Wake) -> Self {
        Self { kind, orders, gateway, wake }
    }

    async fn work(&self, job: &Job) -> Outcome {
        let demand: Demand = match job.args() {
            Ok(demand) => demand,
            Err(error) => return Outcome::cancel(error),
        };
        // An earlier attempt may have reached the gateway and died: then even a payment that was called off since
        // must be asked for, or money would lie there that nobody knows of.
        let charge = if job.attempt > 1 {
            self.orders.charge_sent_before(&PAYMENTS, demand).await
        } else {
            self.orders.charge(&PAYMENTS, demand).await
        };
        let charge = match charge {
            Ok(Some(charge)) => charge,
            Ok(None) => return Outcome::Done,
            Err(error) => return failed(&error),
        };
        if job.is_last_attempt()
            && let Err(error) = self.orders.unresolved(&PAYMENTS, demand, "asked for the last time").await
        {
            return failed(&error);
        }
        let answer = match self.ask(charge, job.failures).await {
            Ok(answer) => answer,
            Err(error) if job.is_last_attempt() => {
                tracing::error!(order = demand.order.0, payment = demand.payment, %error, "payment unresolved");
                return Outcome::retry(error);
            }
            Err(error) => return Outcome::retry(error),
        };
        match note(&self.orders, &self.wake, demand, &answer).await {
            Ok(()) => Outcome::Done,
            Err(error) => failed(&error),
        }
    }

    async fn ask(&self, charge: Charge, failures: u32) -> Result<ChargeOutcome, GatewayError> {
        patiently(match self.kind {
            PaymentKind::Capture if failures < CAPTURES => self.gateway.capture(charge),
            PaymentKind::Capture => self.gateway.call_off(charge),
            PaymentKind::Refund => self.gateway.refund(charge),
        })
        .await
    }
}

async fn patiently(
    answer: PortFuture<'_, Result<ChargeOutcome, GatewayError>>,
) -> Result<ChargeOutcome, GatewayError> {
    let silence = |_| Err(GatewayError(format!("nothing within {PATIENCE:?}")));
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(silence)
}

/// Notes what the gateway has answered. The same answer again changes nothing.
async fn note(
    orders: &Orders,
    wake: &Wake,
    demand: Demand,
    answer: &ChargeOutcome,
) -> Result<(), OrderError> {
    match answer {
        ChargeOutcome::Done(reference) => orders.settled(&PAYMENTS, demand, reference).await?,
        ChargeOutcome::Declined(reason) => orders.declined(&PAYMENTS, demand, reason).await?,
    };
    // A letter, messages to other programs, or money that goes back.
    for queue in [MAIL_QUEUE, WEBHOOK_QUEUE, PAYMENT_QUEUE] {
        wake.queue(queue);
    }
    Ok(())
}

/// Has the payment of an order called off that has waited too long: the worker of `payment.call_off`. The gateway's
/// answer decides, as everywhere: paid, or given up. Where it says nothing the order waits on.
pub struct CallOffPayment {
    orders: Orders,
    gateway: Arc<dyn PaymentGateway>,
    wake: Wake,
}

impl CallOffPayment {
    /// The worker over these orders and this gateway.
    pub fn new(orders: Orders, gateway: Arc<dyn PaymentGateway>, wake: Wake) -> Self {
        Self { orders, gateway, wake }
    }

    async fn work(&self, job: &Job) -> Outcome {
        let demand: Demand = match job.args() {
            Ok(demand) => demand,
            Err(error) => return Outcome::cancel(error),
        };
        // Whether an attempt to capture has reached the gateway is not known: so it is asked, whatever became of it here.
        let charge = match self.orders.charge_sent_before(&PAYMENTS, demand).await {
            Ok(Some(charge)) => charge,
            Ok(None) => return Outcome::Done,
            Err(error) => return failed(&error),
        };
        match patiently(self.gateway.call_off(charge)).await {
            Ok(answer) => match note(&self.orders, &self.wake, demand, &answer).await {
                Ok(()) => Outcome::Done,
                Err(error) => failed(&error),
            },
            Err(error) => Outcome::retry(error),
        }
    }
}

impl Worker for CallOffPayment {
    fn name(&self) -> &'static str {
        CALL_OFF_WORKER
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.work(&job).await })
    }
}

/// Hears what the gateway says by itself, and notes it like an answer.
pub struct NotePayment {
    orders: Orders,
    wake: Wake,
    stats: Arc<EffectStats>,
}

impl NotePayment {
    /// Notes in these orders.
    pub fn new(orders: Orders, wake: Wake, stats: Arc<EffectStats>) -> Self {
        Self { orders, wake, stats }
    }
}

impl PaymentNews for NotePayment {
    fn told(&self, charge: Charge, outcome: ChargeOutcome) -> PortFuture<'_, ()> {
        Box::pin(async move {
            add(&self.stats.payments_told_again, 1);
            let Some(demand) = demand_of(&charge) else {
                tracing::warn!(
                    order = charge.order.0,
                    "the gateway speaks of a payment that is none of ours"
                );
                return;
            };
            // Nothing is lost where this fails: whoever asked asks again.
            if let Err(error) = note(&self.orders, &self.wake, demand, &outcome).await {
                tracing::warn!(order = demand.order.0, payment = demand.payment, %error, "payment news not noted");
            }
        })
    }
}

/// What can't be cured by waiting is given up, with its reason on the job.
fn failed(error: &OrderError) -> Outcome {
    match error {
        OrderError::Db(_) => Outcome::retry(error),
        _ => Outcome::cancel(error),
    }
}

impl Worker for MovePayment {
    fn name(&self) -> &'static str {
        match self.kind {
            PaymentKind::Capture => CAPTURE_WORKER,
            PaymentKind::Refund => REFUND_WORKER,
        }
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.work(&job).await })
    }
}
