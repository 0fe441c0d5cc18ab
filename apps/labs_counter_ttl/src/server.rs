//! Servers: callbacks, and the loop that calls them.
//!
//! **Invariant.** One callback at a time. A stop goes before what is queued, and a tick that is due before the next message: neither
//! waits for a queue that never ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// Whether a server goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It does.
    GoOn,
    /// Its work is done.
    Stop,
}

/// What a server does when something happens. Callbacks decide and return; what takes long is not theirs to do.
///
/// There is no callback for a crash: a panic in a callback ends this life, and its state with it.
pub trait Server: Send + 'static {
    /// What it can be sent.
    type Message: Send + 'static;

    /// A message came.
    fn handle(&mut self, message: Self::Message, now: Instant) -> Next;

    /// A period is over.
    fn tick(&mut self, _now: Instant) {}

    /// It was asked to stop: its last words. Not after a crash, for then its state is not to be trusted.
    fn stopped(&mut self, _now: Instant) {}
}

/// The bounds of a server.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Messages that may wait.
    pub mailbox: usize,
    /// The time between ticks.
    pub tick: Duration,
}

impl Default for Spec {
    fn default() -> Self {
        Self { mailbox: 1_000, tick: Duration::from_secs(1) }
    }
}

/// One life of a server, from `start` to its end. A panic leaves through here and ends the task.
pub(crate) async fn live<S: Server>(
    start: impl FnOnce() -> S,
    mut mailbox: mpsc::Receiver<S::Message>,
    tick: Duration,
    mut stop: watch::Receiver<bool>,
) {
    //>> live
    //? `select!` looks at its branches at random, or `biased` from the top down. Which order is fair to whom?
    //? If the server was busy for ten periods, how many ticks does it owe?
    //? `asked(&mut stop).await` comes back when the server is to stop.
    let mut server = start();
    let mut ticks = interval_at(Instant::now() + tick, tick);
    // A sweep that is late is done once; nobody needs the nine before it.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            () = asked(&mut stop) => return server.stopped(Instant::now()),
            _ = ticks.tick() => server.tick(Instant::now()),
            message = mailbox.recv() => {
                let Some(message) = message else { return };
                if server.handle(message, Instant::now()) == Next::Stop {
                    return;
                }
            }
        }
    }
    //<<
}

/// Comes back when a stop is asked for, or when whoever could ask is gone.
pub(crate) async fn asked(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The right to answer one call.
pub struct Reply<R>(oneshot::Sender<R>);

impl<R> Reply<R> {
    /// Answers the caller. One who has lost patience and left is none of the server's business.
    pub fn send(self, answer: R) {
        let _ = self.0.send(answer);
    }
}

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// The mailbox is full. Nothing was done.
    #[error("the server has too many messages waiting; nothing was done")]
    Overloaded,
    /// No life of the server is running now. Nothing was done.
    #[error("the server is not running; nothing was done")]
    NoProc,
    /// The server had the message and ended. The work may be done or not.
    #[error("the server ended before it answered; the work may be done or not")]
    Died,
    /// The caller's patience is at its end. The work may be done or not.
    #[error("no answer in time; the work may be done or not")]
    Timeout,
}

/// The way to a server, whichever life it is in. Cheap to clone.
pub struct Handle<M> {
    /// The mailbox of the present life. Each life has its own: what waited for a life that crashed is gone with it.
    present: Arc<Mutex<Option<mpsc::Sender<M>>>>,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { present: self.present.clone() }
    }
}

impl<M> Handle<M> {
    pub(crate) fn new() -> Self {
        Self { present: Arc::new(Mutex::new(None)) }
    }

    fn present(&self) -> MutexGuard<'_, Option<mpsc::Sender<M>>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a new life's mailbox.
    pub(crate) fn open(&self, capacity: usize) -> mpsc::Receiver<M> {
        let (sender, mailbox) = mpsc::channel(capacity);
        *self.present() = Some(sender);
        mailbox
    }

    /// Sends a message that has no answer, or says at once why not.
    pub fn cast(&self, message: M) -> Result<(), CallError> {
        // A clone, so that the lock is not held while the message is sent.
        let present = self.present().clone().ok_or(CallError::NoProc)?;
        present.try_send(message).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => CallError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => CallError::NoProc,
        })
    }

    /// Sends a question and waits for its answer, no longer than `patience`.
    pub async fn call<R>(
        &self,
        patience: Duration,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        let (sender, answer) = oneshot::channel();
        self.cast(message(Reply(sender)))?;
        match timeout(patience, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(CallError::Died),
            Err(_) => Err(CallError::Timeout),
        }
    }
}
