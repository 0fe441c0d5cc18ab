//! A process as supervisors, monitors and timers see it: without its message type.
//!
//! Invariant: nothing here needs to know what a server does; everything here is safe to use on a dead one.

use std::fmt;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use crate::exit::Exit;
use crate::timer::TimerKey;

/// Names one start of one server for the life of the program; a restarted server has a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(NonZeroU64);

impl ServerId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // 2^64 starts do not happen; MIN keeps the type honest without a panic path.
        Self(NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap_or(NonZeroU64::MIN))
    }

    /// The number itself, for logs and partitions.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A supervisor, seen from a child.
pub(crate) trait Parent: Send + Sync {
    /// The child at `key` is dead. Called once, from the child's own task, after its names are free.
    fn child_down(self: Arc<Self>, key: u32, id: ServerId, was_ready: bool, exit: &Exit);
}

/// The link from a child to its supervisor.
pub(crate) struct Owner {
    pub(crate) parent: Arc<dyn Parent>,
    /// The child's place in the supervisor's table.
    pub(crate) key: u32,
}

/// An entry in some registry that must go when the process ends.
pub(crate) trait Name: Send {
    fn release(self: Box<Self>, id: ServerId);
}

/// Runs when a process is dead.
pub(crate) type Hook = Box<dyn FnOnce(&Exit) + Send>;

/// Names one watch, so that it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WatchId(u64);

impl WatchId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A process without its message type: what supervisors, monitors and timers handle.
pub(crate) trait Process: Send + Sync {
    fn id(&self) -> ServerId;
    fn owner(&self) -> Option<&Owner>;
    /// Asks for a stop before any queued message. The first reason wins.
    fn request_stop(&self, exit: Exit);
    /// Aborts at the next await point.
    fn kill(&self);
    /// Closes the mailbox and frees the names of a process that can't be killed.
    fn abandon(&self);
    fn is_running(&self) -> bool;
    fn info(&self) -> ServerInfo;
    /// Whether `init` was done, in a task that ran: a runtime that ends drops tasks before they run, and a
    /// supervisor must not restart those.
    fn was_ready(&self) -> bool;
    /// Calls the hook once the process is dead, at once if it is.
    fn watch(&self, id: WatchId, hook: Hook);
    fn unwatch(&self, id: WatchId);
    fn poll_exit(&self, id: WatchId, waker: &Waker) -> Poll<Exit>;
    /// The process's idle timer with this key went off at `now`, in milliseconds of its queue.
    fn idle_timer_fired(self: Arc<Self>, key: TimerKey, now: u64);
}

/// What can be seen of a server from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// Its id.
    pub id: ServerId,
    /// Whether it takes messages.
    pub running: bool,
    /// Messages that wait.
    pub mailbox_len: usize,
    /// How many may wait before callers are told that it is overloaded.
    pub mailbox_capacity: u32,
    /// Messages that it took since its start.
    pub handled: u64,
    /// Monitors and waiters that will hear of its end.
    pub monitored_by: usize,
    /// Monitors of its own.
    pub monitoring: usize,
}

/// Resolves when the process is dead.
pub(crate) struct Exited {
    process: Arc<dyn Process>,
    watch: Option<WatchId>,
}

impl Exited {
    pub(crate) fn new(process: Arc<dyn Process>) -> Self {
        Self { process, watch: None }
    }
}

impl Future for Exited {
    type Output = Exit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Exit> {
        let watch = *self.watch.get_or_insert_with(WatchId::next);
        let exit = self.process.poll_exit(watch, cx.waker());
        if exit.is_ready() {
            self.watch = None;
        }
        exit
    }
}

impl Drop for Exited {
    fn drop(&mut self) {
        if let Some(watch) = self.watch {
            self.process.unwatch(watch);
        }
    }
}

/// Runs code of others in a place where its panic must not stop ours. The panic hook has already reported it.
pub(crate) fn quietly(code: impl FnOnce()) {
    drop(catch_unwind(AssertUnwindSafe(code)));
}
