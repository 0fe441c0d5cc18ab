//! Moving money: the workers of `payment.capture` and `payment.refund`.
//!
//! **Invariant.** The gateway is asked first and the shop notes its answer after, both under the payment's own key. A
//! crash in between is healed by the next attempt, which gets the same answer. Money that was taken for an order that
//! was given up meanwhile goes back.

use std::sync::Arc;

use futures::future::BoxFuture;
use jobs::{Job, Outcome, Wake, Worker};
use pulse_core::Principal;
use pulse_core::ports::{ChargeOutcome, PaymentGateway};
use pulse_data::mail::MAIL_QUEUE;
use pulse_data::orders::{CAPTURE_WORKER, Demand, OrderError, Orders, PaymentKind, REFUND_WORKER};

/// In whose name money is moved.
const PAYMENTS: Principal = Principal::System("payments");

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
        let answer = match self.kind {
            PaymentKind::Capture => self.gateway.capture(charge).await,
            PaymentKind::Refund => self.gateway.refund(charge).await,
        };
        let noted = match answer {
            Ok(ChargeOutcome::Done(reference)) => self.orders.settled(&PAYMENTS, demand, &reference).await,
            Ok(ChargeOutcome::Declined(reason)) => self.orders.declined(&PAYMENTS, demand, &reason).await,
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
