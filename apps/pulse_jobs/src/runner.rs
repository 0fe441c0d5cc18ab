//! The shop's job engine: queues and workers, started and drained by the binary.
//!
//! **Invariant.** Mail never waits behind payments, nor payments behind mail: each has a queue of its own.

use std::sync::Arc;
use std::time::Duration;

use jobs::{Drained, Engine, Options, Running, Stats, Wake};
use pulse_core::ports::{Mailer, PaymentGateway};
use pulse_data::Repo;
use pulse_data::accounts::Accounts;
use pulse_data::mail::MAIL_QUEUE;
use pulse_data::orders::{Orders, PaymentKind};

use crate::letters::{SendMail, SendReset};
use crate::payments::MovePayment;

/// The queue that carries payments.
pub(crate) const PAYMENT_QUEUE: &str = "payments";

/// How the jobs run.
#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// Payments at a time.
    pub payments: usize,
    /// Mails at a time.
    pub mails: usize,
    /// The engine's own options.
    pub engine: Options,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self { payments: 8, mails: 4, engine: Options::default() }
    }
}

/// The running jobs of this process.
pub struct Runner(Running);

impl Runner {
    /// The shop's engine, not yet running; [`Engine::run_due`] serves tests and tools.
    pub fn engine(
        repo: &Repo,
        orders: &Orders,
        accounts: &Accounts,
        gateway: Arc<dyn PaymentGateway>,
        mailer: Arc<dyn Mailer>,
        options: RunnerOptions,
    ) -> Engine {
        let wake = options.engine.wake.clone();
        let capture =
            MovePayment::new(PaymentKind::Capture, orders.clone(), Arc::clone(&gateway), wake.clone());
        let refund = MovePayment::new(PaymentKind::Refund, orders.clone(), gateway, wake);
        Engine::new(Arc::new(repo.clone()), options.engine)
            .queue(PAYMENT_QUEUE, options.payments)
            .queue(MAIL_QUEUE, options.mails)
            .worker(capture)
            .worker(refund)
            .worker(SendReset::new(accounts.clone(), Arc::clone(&mailer)))
            .worker(SendMail::new(mailer))
    }

    /// Starts the engine.
    pub fn start(
        repo: &Repo,
        orders: &Orders,
        accounts: &Accounts,
        gateway: Arc<dyn PaymentGateway>,
        mailer: Arc<dyn Mailer>,
        options: RunnerOptions,
    ) -> Self {
        Self(Self::engine(repo, orders, accounts, gateway, mailer, options).start())
    }

    /// Wakes queues; give it to a [`WakingDesk`](crate::WakingDesk).
    pub fn wake(&self) -> Wake {
        self.0.wake()
    }

    /// The counters, for metrics.
    pub fn stats(&self) -> Arc<Stats> {
        self.0.stats()
    }

    /// Begins nothing more and waits up to `patience` for what runs; the rest is taken up by the next start.
    pub async fn drain(self, patience: Duration) -> Drained {
        self.0.drain(patience).await
    }
}
