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
use pulse_core::ports::{Charge, ChargeOutcome, GatewayError, PaymentGateway};
use pulse_data::mail::MAIL_QUEUE;
use pulse_data::orders::{
    CAPTURE_WORKER, Demand, OrderError, Orders, PAYMENT_ATTEMPTS, PaymentKind, REFUND_WORKER,
};

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
        let noted = match self.ask(charge, job.failures).await {
            Ok(ChargeOutcome::Done(reference)) => self.orders.settled(&PAYMENTS, demand, &reference).await,
            Ok(ChargeOutcome::Declined(reason)) => self.orders.declined(&PAYMENTS, demand, &reason).await,
            Err(error) if job.is_last_attempt() => {
                tracing::error!(order = demand.order.0, payment = demand.payment, %error, "payment unresolved");
                return Outcome::retry(error);
            }
            Err(error) => return Outcome::retry(error),
        };
        match noted {
            Ok(_order) => {
                self.wake.queue(MAIL_QUEUE);
                Outcome::Done
            }
            Err(error) => failed(&error),
        }
    }

    async fn ask(&self, charge: Charge, failures: u32) -> Result<ChargeOutcome, GatewayError> {
        let answer = match self.kind {
            PaymentKind::Capture if failures < CAPTURES => self.gateway.capture(charge),
            PaymentKind::Capture => self.gateway.call_off(charge),
            PaymentKind::Refund => self.gateway.refund(charge),
        };
        let silence = |_| Err(GatewayError(format!("nothing within {PATIENCE:?}")));
        tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(silence)
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
