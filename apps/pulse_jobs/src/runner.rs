//! The shop's job engine: queues and workers, started and drained by the binary.
//!
//! **Invariant.** Payments, mails, messages to other programs and the shop's own looks never wait for each other: each
//! has a queue of its own. So a mail server that hangs holds mails alone, and no checkout waits for any of them.

use std::sync::Arc;
use std::time::Duration;

use jobs::{Drained, Engine, Options, Running, Stats, Wake};
use pulse_core::ports::{Clock, Mailer, PaymentGateway};
use pulse_data::Repo;
use pulse_data::accounts::Accounts;
use pulse_data::carts::GuestCarts;
use pulse_data::catalog::Catalog;
use pulse_data::mail::MAIL_QUEUE;
use pulse_data::orders::{Orders, PaymentKind};
use pulse_data::reminders::Reminders;
use pulse_data::webhooks::{WEBHOOK_QUEUE, Webhooks};

use crate::letters::{Post, Remind, SendMail, SendReset};
use crate::payments::{CallOffPayment, MovePayment};
use crate::schedule::Schedule;
use crate::stats::EffectStats;
use crate::watch::{Look, Watch, WatchOptions, Watched};
use crate::webhooks::{ClientOptions, Deliver};

/// The queue that carries payments.
pub(crate) const PAYMENT_QUEUE: &str = "payments";

/// The queue that carries the shop's looks after itself.
pub const WATCH_QUEUE: &str = "watch";

/// The rooms and the outside that the jobs work with.
#[derive(Clone)]
pub struct Surroundings {
    /// The database.
    pub repo: Repo,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Accounts.
    pub accounts: Accounts,
    /// Products.
    pub catalog: Catalog,
    /// Orders.
    pub orders: Orders,
    /// Reminders of carts.
    pub reminders: Reminders,
    /// Who else is told of what happens.
    pub webhooks: Webhooks,
    /// Where money is moved.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Where letters are handed over.
    pub mailer: Arc<dyn Mailer>,
    /// What the effects count.
    pub stats: Arc<EffectStats>,
}

/// How the jobs run.
#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// Payments at a time.
    pub payments: usize,
    /// Mails at a time.
    pub mails: usize,
    /// Messages to other programs at a time; one endpoint gets half of them at most.
    pub webhooks: usize,
    /// How those are sent.
    pub client: ClientOptions,
    /// What the shop looks for.
    pub watch: WatchOptions,
    /// And when.
    pub schedule: Schedule,
    /// The engine's own options.
    pub engine: Options,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            payments: 8,
            mails: 4,
            webhooks: 8,
            client: ClientOptions::default(),
            watch: WatchOptions::default(),
            schedule: Schedule::default(),
            engine: Options::default(),
        }
    }
}

/// The running jobs of this process.
pub struct Runner(Running);

impl Runner {
    /// The shop's engine, not yet running; [`Engine::run_due`] serves tests and tools.
    pub fn engine(with: Surroundings, options: RunnerOptions) -> Engine {
        let wake = options.engine.wake.clone();
        let post = Post::new(with.mailer, Arc::clone(&with.stats));
        let (orders, gateway) = (with.orders.clone(), with.gateway);
        let payment = |kind| MovePayment::new(kind, orders.clone(), Arc::clone(&gateway), wake.clone());
        let deliver = Deliver::new(
            with.webhooks.clone(),
            options.client,
            options.webhooks.div_ceil(2),
            Arc::clone(&with.clock),
            wake.clone(),
            Arc::clone(&with.stats),
        );
        let guest_carts = GuestCarts::new(with.repo.clone(), Arc::clone(&with.clock));
        let watched = Watched {
            repo: with.repo.clone(),
            clock: with.clock,
            accounts: with.accounts.clone(),
            guest_carts,
            catalog: with.catalog,
            orders: with.orders.clone(),
            reminders: with.reminders.clone(),
            webhooks: with.webhooks,
            wake: wake.clone(),
            stats: with.stats,
            options: options.watch,
        };
        let engine = Engine::new(Arc::new(with.repo), options.engine)
            .queue(PAYMENT_QUEUE, options.payments)
            .queue(MAIL_QUEUE, options.mails)
            .queue(WEBHOOK_QUEUE, options.webhooks)
            .queue(WATCH_QUEUE, 2)
            .worker(payment(PaymentKind::Capture))
            .worker(payment(PaymentKind::Refund))
            .worker(CallOffPayment::new(orders.clone(), Arc::clone(&gateway), wake.clone()))
            .worker(SendReset { accounts: with.accounts, post: post.clone() })
            .worker(Remind { reminders: with.reminders, post: post.clone() })
            .worker(SendMail(post))
            .worker(deliver);
        let engine = Look::ALL
            .into_iter()
            .fold(engine, |engine, look| engine.worker(Watch { look, at: watched.clone() }));
        options.schedule.entries().fold(engine, Engine::cron)
    }

    /// Starts the engine.
    pub fn start(with: Surroundings, options: RunnerOptions) -> Self {
        Self(Self::engine(with, options).start())
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
