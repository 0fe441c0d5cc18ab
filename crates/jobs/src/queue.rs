//! One queue's loop: take, run, acknowledge, each at its own pace and none waiting for the others.
//!
//! **Invariant.** At most `concurrency` attempts run; what is taken and not yet acknowledged is bounded; at most one
//! taking and one acknowledging statement are under way. While one is, the next batch gathers: that is the whole
//! secret of batching, no timer is needed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::BoxFuture;
use sea_orm::DbErr;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempted, attempt};
use crate::core::Core;
use crate::job::Job;
use crate::observe::{Event, Setting};
use crate::settle::{Ack, hand_back, poisoned};
use crate::stats::add;
use crate::table::{self, Taken};

type Taking = BoxFuture<'static, (Instant, Result<Vec<Taken>, DbErr>)>;
/// What was to be written, and how much of it was; `None` where the database failed.
type Acking = BoxFuture<'static, (Vec<Ack>, Option<usize>)>;

/// How much running time a queue takes ahead, so that short jobs travel in large batches and long ones do not
/// lie taken while another node is idle.
const AHEAD: Duration = Duration::from_millis(100);

/// What was taken ahead and has waited for so long goes back, for other nodes: the jobs before it are longer than they used
/// to be.
const STALE: Duration = Duration::from_secs(1);

pub(crate) struct QueueLoop {
    core: Arc<Core>,
    name: String,
    /// Jobs at a time, as this program says; the queue's row may say otherwise.
    usually: usize,
    setting: watch::Receiver<Setting>,
    wake: Arc<Notify>,
    /// Taken and not begun, with the instant of the taking.
    buffer: VecDeque<(Instant, Job)>,
    running: JoinSet<Attempted>,
    acks: Vec<Ack>,
    taking: Option<Taking>,
    /// How many the statement under way was asked for.
    asked: usize,
    acking: Option<Acking>,
    /// Acknowledgements in the statement under way.
    sent: usize,
    /// There may be more in the table.
    hungry: bool,
    /// A moving average of an attempt's time.
    usual: Duration,
}

impl QueueLoop {
    pub(crate) fn new(
        core: Arc<Core>,
        name: String,
        usually: usize,
        wake: Arc<Notify>,
        setting: watch::Receiver<Setting>,
    ) -> Self {
        Self {
            core,
            name,
            usually,
            setting,
            wake,
            buffer: VecDeque::new(),
            running: JoinSet::new(),
            acks: Vec::new(),
            taking: None,
            asked: 0,
            acking: None,
            sent: 0,
            hungry: true,
            // Nothing is taken ahead until jobs are seen to be short: on another node they might run at once.
            usual: AHEAD * 2,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken, kill: CancellationToken) {
        loop {
            // Asked anew each time, so that nothing begins once a drain has been called.
            let stopping = stop.is_cancelled();
            if stopping && self.core.dead.is_cancelled() {
                return self.cut_off().await;
            }
            let setting = *self.setting.borrow_and_update();
            if stopping || setting.paused {
                self.give_back();
            } else {
                self.begin(&kill, setting);
                self.give_stale_back();
                self.take(setting);
            }
            self.acknowledge();
            if stopping && self.running.is_empty() && self.taking.is_none() && self.acking.is_none() {
                return;
            }
            let stale = self.buffer.front().map(|(taken_at, _)| *taken_at + STALE);
            let idle = !stopping && self.taking.is_none() && !self.hungry && !setting.paused;
            tokio::select! {
                Some(ended) = self.running.join_next() => {
                    self.ended(ended);
                    while let Some(ended) = self.running.try_join_next() {
                        self.ended(ended);
                    }
                }
                (at, taken) = under_way(&mut self.taking) => {
                    self.taking = None;
                    self.taken(at, taken);
                }
                (acks, written) = under_way(&mut self.acking) => {
                    self.acking = None;
                    self.acknowledged(acks, written, stopping);
                }
                () = self.wake.notified(), if idle => self.hungry = true,
                () = tokio::time::sleep(self.core.options.poll), if idle => self.hungry = true,
                () = until(stale) => {}
                Ok(()) = self.setting.changed() => self.hungry = true,
                () = stop.cancelled(), if !stopping => {}
            }
        }
    }

    /// Stops what runs where it is, and waits only for what the database was asked already.
    async fn cut_off(mut self) {
        self.running.shutdown().await;
        if let Some(taking) = self.taking.take() {
            drop(taking.await);
        }
        if let Some(acking) = self.acking.take() {
            drop(acking.await);
        }
    }

    /// How many may run at a time.
    fn concurrency(&self, setting: Setting) -> usize {
        let here = setting.per_node.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(self.usually);
        let everywhere = setting.everywhere.and_then(|limit| usize::try_from(limit).ok());
        here.min(everywhere.unwrap_or(usize::MAX))
    }

    /// How many to hold ready beyond those that run: none where they would count against the limit of all nodes.
    fn ahead(&self, setting: Setting) -> usize {
        if setting.everywhere.is_some() {
            return 0;
        }
        let usual = self.usual.as_micros().max(1);
        let turns = usize::try_from(AHEAD.as_micros() / usual).unwrap_or(usize::MAX);
        self.concurrency(setting).saturating_mul(turns).min(self.core.options.batch)
    }

    fn take(&mut self, setting: Setting) {
        let unwritten = self.acks.len() + self.sent;
        let (concurrency, ahead) = (self.concurrency(setting), self.ahead(setting));
        let room = (concurrency.saturating_sub(self.running.len()) + ahead).saturating_sub(self.buffer.len());
        let bound = self.core.options.batch.max(concurrency) * 4;
        // A statement for a handful costs as much as one for a batch: wait until half of it is used up.
        let worth = room > ahead / 2 && room > 0;
        if self.taking.is_some() || !self.hungry || !worth || unwritten >= bound {
            return;
        }
        let (core, queue) = (Arc::clone(&self.core), self.name.clone());
        self.asked = room;
        self.taking = Some(Box::pin(async move {
            let began = Instant::now();
            let (now, lease_until) = core.lease();
            let taken = table::take(&*core.store, &queue, &core.node, room, now, lease_until).await;
            match &taken {
                Ok(jobs) => {
                    // Before anybody can look: a renewal must know what is ours.
                    let mine = jobs.iter().map(|taken| match taken {
                        Taken::Job(job) => (job.id, job.attempt),
                        Taken::Poison { id, attempt, .. } => (*id, *attempt),
                    });
                    core.held.took(mine, lease_until);
                }
                Err(error) => {
                    core.failed("take jobs", error);
                    tokio::time::sleep(core.options.poll).await;
                }
            }
            (began, taken)
        }));
    }

    fn taken(&mut self, at: Instant, taken: Result<Vec<Taken>, DbErr>) {
        let Ok(taken) = taken else { return };
        add(&self.core.stats.taken, taken.len());
        self.hungry = taken.len() >= self.asked;
        if !taken.is_empty() {
            self.core.tell(&Event::Taken { queue: &self.name, jobs: taken.len() });
        }
        for taken in taken {
            match taken {
                Taken::Job(job) => self.buffer.push_back((at, job)),
                Taken::Poison { id, attempt, why } => {
                    add(&self.core.stats.cancelled, 1);
                    tracing::error!(job = id.0, why, "a job can't be read");
                    self.acks.push(poisoned(id, attempt, self.core.now(), &why));
                }
            }
        }
    }

    fn begin(&mut self, kill: &CancellationToken, setting: Setting) {
        let now = self.core.now();
        while self.running.len() < self.concurrency(setting)
            && let Some((_, job)) = self.buffer.pop_front()
        {
            let timeout = self.core.workers.get(job.worker.as_str()).map_or(Duration::ZERO, |w| w.timeout());
            // None where its lease is over, or it was lost meanwhile.
            let recall = self.core.held.begin(job.id, job.attempt, now, Instant::now() + timeout);
            let Some(recall) = recall else {
                add(&self.core.stats.handed_back, 1);
                self.acks.push(hand_back(&job));
                self.hungry = true;
                continue;
            };
            let (core, kill) = (Arc::clone(&self.core), kill.clone());
            self.running.spawn(async move { attempt(&core, job, &kill, &recall).await });
        }
        self.core.stats.buffered.store(i64::try_from(self.buffer.len()).unwrap_or(0), Ordering::Relaxed);
    }

    fn give_stale_back(&mut self) {
        let now = Instant::now();
        while let Some((_, job)) = self.buffer.pop_front_if(|(taken_at, _)| *taken_at + STALE <= now) {
            add(&self.core.stats.handed_back, 1);
            self.acks.push(hand_back(&job));
            // Nothing is taken ahead again until jobs are seen to be short.
            self.usual = self.usual.max(AHEAD * 2);
            self.hungry = true;
        }
        self.core.stats.buffered.store(i64::try_from(self.buffer.len()).unwrap_or(0), Ordering::Relaxed);
    }

    fn give_back(&mut self) {
        add(&self.core.stats.handed_back, self.buffer.len());
        self.acks.extend(self.buffer.drain(..).map(|(_, job)| hand_back(&job)));
        self.core.stats.buffered.store(0, Ordering::Relaxed);
    }

    fn ended(&mut self, ended: Result<Attempted, tokio::task::JoinError>) {
        // An attempt catches its worker's panics; nobody aborts it but the end of the runtime.
        let Ok(Attempted { of, ack, took }) = ended else { return };
        // A worker that lost its core for a while says little about the next: it counts for eight usual ones at most.
        let counted = took.min(self.usual * 8).max(Duration::from_micros(1));
        self.usual = (self.usual * 7 + counted) / 8;
        match ack {
            Some(ack) => {
                self.core.held.ended(of.0, of.1);
                self.acks.push(ack);
            }
            None => self.core.held.gone([of].into_iter()),
        }
    }

    fn acknowledge(&mut self) {
        if self.acking.is_some() || self.acks.is_empty() {
            return;
        }
        let core = Arc::clone(&self.core);
        let acks = std::mem::take(&mut self.acks);
        self.sent = acks.len();
        self.acking = Some(Box::pin(async move {
            let written = table::acknowledge(&*core.store, &core.node, &acks).await;
            match &written {
                Ok(_) => core.held.gone(acks.iter().map(|ack| (ack.id, ack.attempt))),
                Err(error) => {
                    core.failed("write outcomes", error);
                    tokio::time::sleep(core.options.poll).await;
                }
            }
            (acks, written.ok())
        }));
    }

    fn acknowledged(&mut self, mut acks: Vec<Ack>, written: Option<usize>, stopping: bool) {
        self.sent = 0;
        if let Some(count) = written {
            add(&self.core.stats.lost, acks.len().saturating_sub(count));
            return;
        }
        // They are still right: the fence refuses them if the lease ends meanwhile.
        acks.append(&mut self.acks);
        self.acks = acks;
        self.hungry |= !stopping;
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

async fn under_way<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
