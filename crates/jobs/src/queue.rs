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
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempted, attempt};
use crate::engine::Core;
use crate::job::Job;
use crate::settle::{Ack, hand_back};
use crate::stats::add;
use crate::table;

type Taking = BoxFuture<'static, Result<Vec<Job>, DbErr>>;
type Acking = BoxFuture<'static, (Vec<Ack>, Result<usize, DbErr>)>;

/// How much running time a queue takes ahead, so that short jobs travel in large batches and long ones do not
/// lie taken while another node is idle.
const AHEAD: Duration = Duration::from_millis(100);

pub(crate) struct QueueLoop {
    core: Arc<Core>,
    name: String,
    concurrency: usize,
    wake: Arc<Notify>,
    buffer: VecDeque<Job>,
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
    pub(crate) fn new(core: Arc<Core>, name: String, concurrency: usize, wake: Arc<Notify>) -> Self {
        Self {
            core,
            name,
            concurrency,
            wake,
            buffer: VecDeque::new(),
            running: JoinSet::new(),
            acks: Vec::new(),
            taking: None,
            asked: 0,
            acking: None,
            sent: 0,
            hungry: true,
            usual: AHEAD,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken, kill: CancellationToken) {
        loop {
            // Asked anew each time, so that nothing begins once a drain has been called.
            let stopping = stop.is_cancelled();
            if stopping {
                self.give_back();
            } else {
                self.begin(&kill);
                self.take();
            }
            self.acknowledge();
            if stopping && self.running.is_empty() && self.taking.is_none() && self.acking.is_none() {
                return;
            }
            let idle = !stopping && self.taking.is_none() && !self.hungry;
            tokio::select! {
                Some(ended) = self.running.join_next() => {
                    self.ended(ended);
                    while let Some(ended) = self.running.try_join_next() {
                        self.ended(ended);
                    }
                }
                taken = under_way(&mut self.taking) => {
                    self.taking = None;
                    self.taken(taken);
                }
                (acks, written) = under_way(&mut self.acking) => {
                    self.acking = None;
                    self.acknowledged(acks, written, stopping);
                }
                () = self.wake.notified(), if idle => self.hungry = true,
                () = tokio::time::sleep(self.core.options.poll), if idle => self.hungry = true,
                () = stop.cancelled(), if !stopping => {}
            }
        }
    }

    /// How many to hold ready beyond those that run.
    fn ahead(&self) -> usize {
        let usual = self.usual.as_micros().max(1);
        let turns = usize::try_from(AHEAD.as_micros() / usual).unwrap_or(usize::MAX);
        self.concurrency.saturating_mul(turns).min(self.core.options.batch)
    }

    fn take(&mut self) {
        let unwritten = self.acks.len() + self.sent;
        let room = (self.concurrency - self.running.len().min(self.concurrency) + self.ahead())
            .saturating_sub(self.buffer.len());
        let bound = self.core.options.batch.max(self.concurrency) * 4;
        // A statement for a handful costs as much as one for a batch: wait until half of it is used up.
        let worth = room > self.ahead() / 2 && room > 0;
        if self.taking.is_some() || !self.hungry || !worth || unwritten >= bound {
            return;
        }
        let (core, queue) = (Arc::clone(&self.core), self.name.clone());
        self.asked = room;
        self.taking = Some(Box::pin(async move {
            let (now, lease_until) = core.lease();
            let taken = table::take(&*core.store, &queue, &core.node, room, now, lease_until).await;
            if taken.is_err() {
                tokio::time::sleep(core.options.poll).await;
            }
            taken
        }));
    }

    fn taken(&mut self, taken: Result<Vec<Job>, DbErr>) {
        match taken {
            Ok(jobs) => {
                add(&self.core.stats.taken, jobs.len());
                self.hungry = jobs.len() >= self.asked;
                self.buffer.extend(jobs);
            }
            Err(error) => {
                add(&self.core.stats.store_errors, 1);
                tracing::warn!(queue = self.name, %error, "jobs can't be taken; trying again");
            }
        }
    }

    fn begin(&mut self, kill: &CancellationToken) {
        let now = (self.core.options.clock)();
        while self.running.len() < self.concurrency
            && let Some(job) = self.buffer.pop_front()
        {
            let timeout = self.core.workers.get(job.worker.as_str()).map_or(0, |w| w.timeout().as_millis());
            if now.saturating_add(i64::try_from(timeout).unwrap_or(i64::MAX)) > job.lease_until {
                // It lay here for so long that its lease could end while it runs.
                add(&self.core.stats.handed_back, 1);
                self.acks.push(hand_back(&job));
                self.hungry = true;
                continue;
            }
            let (core, kill) = (Arc::clone(&self.core), kill.clone());
            self.running.spawn(async move { attempt(&core, job, &kill).await });
        }
        self.core.stats.buffered.store(i64::try_from(self.buffer.len()).unwrap_or(0), Ordering::Relaxed);
    }

    fn give_back(&mut self) {
        add(&self.core.stats.handed_back, self.buffer.len());
        self.acks.extend(self.buffer.drain(..).map(|job| hand_back(&job)));
        self.core.stats.buffered.store(0, Ordering::Relaxed);
    }

    fn ended(&mut self, ended: Result<Attempted, tokio::task::JoinError>) {
        // An attempt catches its worker's panics; nobody aborts it but the end of the runtime.
        if let Ok(Attempted { ack, took }) = ended {
            self.usual = (self.usual * 7 + took) / 8;
            self.acks.push(ack);
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
            if written.is_err() {
                tokio::time::sleep(core.options.poll).await;
            }
            (acks, written)
        }));
    }

    fn acknowledged(&mut self, mut acks: Vec<Ack>, written: Result<usize, DbErr>, stopping: bool) {
        self.sent = 0;
        match written {
            Ok(count) => add(&self.core.stats.lost, acks.len().saturating_sub(count)),
            Err(error) => {
                add(&self.core.stats.store_errors, 1);
                tracing::warn!(queue = self.name, %error, "outcomes can't be written; trying again");
                // They are still right: the fence refuses them if the lease ends meanwhile.
                acks.append(&mut self.acks);
                self.acks = acks;
                self.hungry |= !stopping;
            }
        }
    }
}

async fn under_way<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
