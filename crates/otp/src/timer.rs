//! Timers: one ordered queue a partition and one task that sleeps until its first entry.
//!
//! Invariant: an idle server costs one entry in the queue and no task of its own, and nothing per message: its
//! entry is moved only when it goes off. A cancelled entry leaves the queue at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::runtime::{Handle, Id};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::process::{Process, quietly};

/// Entries that go off in one go before the task lets others run.
const BATCH: usize = 256;

/// Milliseconds since the queue's start, then order of insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey {
    at: u64,
    number: u64,
}

enum Job {
    Idle(Arc<dyn Process>),
    Once(Arc<Entry>, Box<dyn FnOnce() + Send>),
    /// Says whether it wants to go on.
    Every(Arc<Entry>, u64, Box<dyn FnMut() -> bool + Send>),
}

/// What a [`TimerRef`] and the queue share.
struct Entry {
    pending: AtomicBool,
    key: Mutex<Option<TimerKey>>,
}

#[derive(Default)]
struct Jobs {
    ordered: BTreeMap<TimerKey, Job>,
    next: u64,
}

/// The timers of one partition of one runtime.
pub(crate) struct Timers {
    start: Instant,
    jobs: Mutex<Jobs>,
    /// Rung when an entry was put before all others.
    earlier: Notify,
}

/// A timer that was set with [`Ctx::send_after`](crate::Ctx::send_after) or
/// [`Ctx::send_interval`](crate::Ctx::send_interval). Dropping it does not cancel the timer.
#[derive(Clone)]
pub struct TimerRef {
    entry: Arc<Entry>,
    timers: Arc<Timers>,
}

impl TimerRef {
    /// Cancels the timer. Its message may already be in the mailbox. O(log n) in the partition's timers.
    pub fn cancel(&self) {
        self.entry.pending.store(false, Ordering::Release);
        let key = self.entry.key.lock().take();
        if let Some(key) = key {
            self.timers.remove(key);
        }
    }

    /// Whether the timer will still go off.
    pub fn is_pending(&self) -> bool {
        self.entry.pending.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for TimerRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimerRef").field("pending", &self.is_pending()).finish()
    }
}

type Partitions = Vec<(Id, Vec<Weak<Timers>>)>;

/// Queues belong to a runtime, because its clock drives them; this finds the runtime's own.
static RUNTIMES: RwLock<Partitions> = RwLock::new(Vec::new());

fn partition_count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from).min(16))
}

impl Timers {
    /// The queue of the current runtime in which `id` keeps its timers.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn of(id: u64) -> Arc<Self> {
        let runtime = Handle::current();
        let place = usize::try_from(id % partition_count() as u64).unwrap_or(0);
        let find = |runtimes: &Partitions| {
            let (_, partitions) = runtimes.iter().find(|(known, _)| *known == runtime.id())?;
            partitions.get(place)?.upgrade()
        };
        if let Some(timers) = find(&RUNTIMES.read()) {
            return timers;
        }
        let mut runtimes = RUNTIMES.write();
        if let Some(timers) = find(&runtimes) {
            return timers;
        }
        let timers = Arc::new(Self { start: Instant::now(), jobs: Mutex::default(), earlier: Notify::new() });
        let at = runtimes.iter().position(|(known, _)| *known == runtime.id()).unwrap_or_else(|| {
            runtimes.push((runtime.id(), (0..partition_count()).map(|_| Weak::new()).collect()));
            runtimes.len() - 1
        });
        if let Some(slot) = runtimes[at].1.get_mut(place) {
            *slot = Arc::downgrade(&timers);
        }
        let resident = Resident { runtime: runtime.id(), timers: timers.clone() };
        runtime.spawn(async move { resident.timers.clone().run().await });
        timers
    }

    /// Milliseconds since the start, rounded up, so that nothing goes off early.
    fn now(&self) -> u64 {
        self.after(Duration::ZERO)
    }

    fn after(&self, delay: Duration) -> u64 {
        let nanos = self.start.elapsed().saturating_add(delay).as_nanos();
        u64::try_from(nanos.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    fn insert(&self, at: u64, job: Job) -> TimerKey {
        let (key, first) = {
            let mut jobs = self.jobs.lock();
            jobs.next += 1;
            let key = TimerKey { at, number: jobs.next };
            let first = jobs.ordered.first_key_value().is_none_or(|(first, _)| key < *first);
            jobs.ordered.insert(key, job);
            (key, first)
        };
        if first {
            self.earlier.notify_one();
        }
        key
    }

    fn remove(&self, key: TimerKey) {
        let job = self.jobs.lock().ordered.remove(&key);
        quietly(|| drop(job));
    }

    pub(crate) fn once(self: &Arc<Self>, delay: Duration, act: Box<dyn FnOnce() + Send>) -> TimerRef {
        let entry = Arc::new(Entry { pending: AtomicBool::new(true), key: Mutex::new(None) });
        {
            let mut key = entry.key.lock();
            *key = Some(self.insert(self.after(delay), Job::Once(entry.clone(), act)));
        }
        TimerRef { entry, timers: self.clone() }
    }

    pub(crate) fn every(
        self: &Arc<Self>,
        period: Duration,
        act: Box<dyn FnMut() -> bool + Send>,
    ) -> TimerRef {
        let entry = Arc::new(Entry { pending: AtomicBool::new(true), key: Mutex::new(None) });
        let millis = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
        {
            let mut key = entry.key.lock();
            *key = Some(self.insert(self.after(period), Job::Every(entry.clone(), millis, act)));
        }
        TimerRef { entry, timers: self.clone() }
    }

    async fn run(self: Arc<Self>) {
        loop {
            let first = self.jobs.lock().ordered.first_key_value().map(|(key, _)| key.at);
            match first {
                None => self.earlier.notified().await,
                Some(at) if at <= self.elapsed() => {
                    self.fire(at);
                    tokio::task::yield_now().await;
                }
                Some(at) => {
                    let deadline = self.start.checked_add(Duration::from_millis(at));
                    tokio::select! {
                        () = self.earlier.notified() => {}
                        () = async {
                            match deadline {
                                Some(deadline) => sleep_until(deadline).await,
                                None => std::future::pending().await,
                            }
                        } => {}
                    }
                }
            }
        }
    }

    /// Milliseconds since the start, rounded down.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Runs a batch of what is due.
    fn fire(self: &Arc<Self>, first: u64) {
        let now = self.elapsed().max(first);
        let mut due = Vec::new();
        {
            let mut jobs = self.jobs.lock();
            while due.len() < BATCH {
                match jobs.ordered.first_entry() {
                    Some(entry) if entry.key().at <= now => due.push(entry.remove_entry()),
                    _ => break,
                }
            }
        }
        for (key, job) in due {
            match job {
                Job::Idle(process) => process.idle_timer_fired(key, now),
                Job::Once(entry, act) => {
                    entry.key.lock().take();
                    if entry.pending.swap(false, Ordering::AcqRel) {
                        quietly(act);
                    }
                }
                Job::Every(entry, period, mut act) => {
                    let mut go_on = false;
                    if entry.pending.load(Ordering::Acquire) {
                        quietly(|| go_on = act());
                    }
                    let mut place = entry.key.lock();
                    if go_on && entry.pending.load(Ordering::Acquire) {
                        // Ticks that were missed are skipped, not made up for.
                        let at = key.at.saturating_add(period).max(now.saturating_add(1));
                        *place = Some(self.insert(at, Job::Every(entry.clone(), period, act)));
                    } else {
                        *place = None;
                        entry.pending.store(false, Ordering::Release);
                    }
                }
            }
        }
    }
}

/// How many timers wait in the current runtime, idle timers of servers included. O(partitions).
///
/// # Panics
/// Outside of a tokio runtime.
pub fn pending_timers() -> usize {
    let runtime = Handle::current().id();
    let runtimes = RUNTIMES.read();
    let mine = runtimes.iter().filter(|(known, _)| *known == runtime);
    let queues = mine.flat_map(|(_, partitions)| partitions.iter().filter_map(Weak::upgrade));
    queues.map(|timers| timers.jobs.lock().ordered.len()).sum()
}

/// Takes the queue out of the table when its runtime drops the task.
struct Resident {
    runtime: Id,
    timers: Arc<Timers>,
}

impl Drop for Resident {
    fn drop(&mut self) {
        // Jobs hold addresses, addresses hold wakers of tasks of a runtime that is ending.
        let jobs = std::mem::take(&mut self.timers.jobs.lock().ordered);
        let mine = Arc::as_ptr(&self.timers);
        let mut runtimes = RUNTIMES.write();
        for (runtime, partitions) in runtimes.iter_mut() {
            if *runtime == self.runtime {
                for slot in partitions.iter_mut().filter(|slot| slot.as_ptr() == mine) {
                    *slot = Weak::new();
                }
            }
        }
        runtimes.retain(|(_, partitions)| partitions.iter().any(|slot| slot.strong_count() > 0));
        drop(runtimes);
        quietly(|| drop(jobs));
    }
}

/// A server's wish to hear of its own idleness. It lies inside the server's lock.
pub(crate) struct IdleTimer {
    timers: Arc<Timers>,
    after: u64,
    rested_at: u64,
    key: Option<TimerKey>,
    /// This rest was already reported.
    reported: bool,
}

impl IdleTimer {
    pub(crate) fn new(timers: Arc<Timers>, after: Duration) -> Self {
        let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { timers, after, rested_at: 0, key: None, reported: false }
    }

    /// A message came.
    pub(crate) fn busy(&mut self) {
        self.reported = false;
    }

    /// The server waits from now on.
    pub(crate) fn rest<P: Process + 'static>(&mut self, process: impl FnOnce() -> Arc<P>) {
        if self.reported {
            return;
        }
        self.rested_at = self.timers.now();
        if self.key.is_none() {
            let at = self.rested_at.saturating_add(self.after);
            self.key = Some(self.timers.insert(at, Job::Idle(process())));
        }
    }

    /// The queue's entry went off. True if the server has been idle for long enough.
    pub(crate) fn fired(&mut self, key: TimerKey, now: u64, parked: bool, process: Arc<dyn Process>) -> bool {
        if self.key != Some(key) {
            // An entry of a timer that was replaced in the meantime.
            return false;
        }
        self.key = None;
        if !parked || self.reported {
            return false;
        }
        let due = self.rested_at.saturating_add(self.after);
        if due <= now {
            self.reported = true;
            return true;
        }
        self.key = Some(self.timers.insert(due, Job::Idle(process)));
        false
    }

    pub(crate) fn cancel(&mut self) {
        if let Some(key) = self.key.take() {
            self.timers.remove(key);
        }
    }
}
