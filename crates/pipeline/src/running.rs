//! A running pipeline: watched, changed, drained.
//!
//! **Invariant.** Stages end in order: producers, processors, batchers, batch processors; each when the one before it
//! has ended and it has handled what it holds. Dropping it aborts all, and what is not acknowledged stays so.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use crate::config::Shared;
use crate::event::Event;
use crate::message::Message;
use crate::produce::Dispatch;
use crate::rate::Rate;
use crate::stats::{Stats, add};
use crate::testing::{self, Told};
use crate::topology::Topology;

/// The pipeline takes no more messages: it drains, or its sources have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline takes no more messages: it drains or has ended")]
pub struct Closed;

/// A producer panicked too often; what was under way was brought to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pipeline {pipeline}: producer {producer} was given up: {error}")]
pub struct GaveUp {
    /// The pipeline's name.
    pub pipeline: &'static str,
    /// Which producer.
    pub producer: usize,
    /// What it panicked with at last.
    pub error: String,
}

/// How a pipeline ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// Messages that were produced and not acknowledged: their sources deliver them again. 0 unless the deadline came
    /// first.
    pub unacked: u64,
    /// The producer that was given up, if one was.
    pub gave_up: Option<GaveUp>,
    /// Everything that it has done.
    pub stats: Stats,
}

/// The tasks, by stage.
#[derive(Default)]
pub(crate) struct Stages {
    pub(crate) producers: JoinSet<Result<(), GaveUp>>,
    pub(crate) processors: JoinSet<()>,
    pub(crate) batchers: JoinSet<()>,
    pub(crate) batch_processors: JoinSet<()>,
}

/// A view of a running pipeline that can be cloned and kept; it does not keep the pipeline running.
pub struct Handle<T> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) topology: Arc<Topology>,
    pub(crate) dispatch: Weak<Dispatch<T>>,
    /// The demand of what is pushed.
    pub(crate) pushes: Arc<Semaphore>,
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            topology: Arc::clone(&self.topology),
            dispatch: Weak::clone(&self.dispatch),
            pushes: Arc::clone(&self.pushes),
        }
    }
}

impl<T> std::fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("topology", &self.topology).finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Handle<T> {
    /// The stages.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What it has done, and what is under way.
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot()
    }

    /// The rate limit; `None`: none.
    pub fn rate(&self) -> Option<Rate> {
        self.shared.limiter.rate()
    }

    /// Changes the rate limit; a new period begins now.
    pub fn set_rate(&self, rate: Option<Rate>) {
        self.shared.limiter.set(rate);
    }

    /// Begins to drain: producers stop, and everything behind them ends with what it holds. [`Running::drain`] or
    /// [`Running::finished`] waits for it.
    pub fn stop(&self) {
        self.shared.stop.cancel();
    }

    /// Puts messages in beside the producers; the rate limit does not apply. Waits for room, as for one producer more; a
    /// callback that pushes into its own pipeline must not wait for it, or it may wait for itself.
    pub async fn push(&self, mut messages: Vec<Message<T>>) -> Result<(), Closed> {
        while !messages.is_empty() {
            let dispatch = self.dispatch.upgrade().ok_or(Closed)?;
            let rest = messages.split_off(messages.len().min(dispatch.chunk));
            let wanted = u32::try_from(messages.len()).unwrap_or(u32::MAX);
            let permit = tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => return Err(Closed),
                permit = Arc::clone(&self.pushes).acquire_many_owned(wanted) => permit.map_err(|_| Closed)?,
            };
            add(&self.shared.counters.produced, messages.len());
            dispatch.dispatch(messages, permit).await;
            messages = rest;
        }
        Ok(())
    }

    /// For tests: sends one message through, which waits for no batch to fill. The answer tells its end.
    pub async fn test_message(&self, data: T) -> Result<Told, Closed> {
        let (source, told) = testing::caller(1);
        let mut message = Message::new(data, &source, 0);
        message.flush();
        drop(source);
        self.push(vec![message]).await?;
        Ok(told)
    }

    /// For tests: sends messages through as a source would; batches form by their own rules. The answer tells the end
    /// of each, by its place in `data`.
    pub async fn test_batch(&self, data: Vec<T>) -> Result<Told, Closed> {
        let (source, told) = testing::caller(data.len());
        let messages = (0..).zip(data).map(|(place, data)| Message::new(data, &source, place)).collect();
        drop(source);
        self.push(messages).await?;
        Ok(told)
    }
}

/// A running pipeline. Dropping it aborts it.
#[must_use = "dropping a running pipeline aborts it"]
pub struct Running<T> {
    handle: Handle<T>,
    stages: Stages,
    /// Where there are no producers: keeps the way in open.
    open: Option<Arc<Dispatch<T>>>,
    gave_up: Option<GaveUp>,
}

impl<T> std::fmt::Debug for Running<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Running<T> {
    pub(crate) fn new(handle: Handle<T>, stages: Stages, open: Option<Arc<Dispatch<T>>>) -> Self {
        Self { handle, stages, open, gave_up: None }
    }

    /// A handle to be kept elsewhere.
    pub fn handle(&self) -> &Handle<T> {
        &self.handle
    }

    /// What it has done, and what is under way.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }

    /// The stages.
    pub fn topology(&self) -> &Topology {
        self.handle.topology()
    }

    /// Changes the rate limit; see [`Handle::set_rate`].
    pub fn set_rate(&self, rate: Option<Rate>) {
        self.handle.set_rate(rate);
    }

    /// Waits until all sources have ended, or somebody said [`Handle::stop`], and every message is acknowledged. May be
    /// dropped and called again.
    pub async fn finished(&mut self) -> Drained {
        self.join().await;
        self.ended()
    }

    /// Stops the producers, lets everything behind them end in order, and answers when all is acknowledged or
    /// `deadline` has passed. What is not acknowledged then is aborted and counted.
    pub async fn drain(mut self, deadline: Duration) -> Drained {
        self.handle.stop();
        if tokio::time::timeout(deadline, self.join()).await.is_err() {
            self.stages.producers.abort_all();
            self.stages.processors.abort_all();
            self.stages.batchers.abort_all();
            self.stages.batch_processors.abort_all();
        }
        self.ended()
    }

    async fn join(&mut self) {
        let stop = self.handle.shared.stop.clone();
        if self.open.is_some() {
            stop.cancelled().await;
            self.open = None;
        }
        while let Some(ended) = self.stages.producers.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(gave_up)) => self.gave_up = Some(gave_up),
                Err(error) => report(&error),
            }
        }
        for stage in
            [&mut self.stages.processors, &mut self.stages.batchers, &mut self.stages.batch_processors]
        {
            while let Some(ended) = stage.join_next().await {
                if let Err(error) = ended {
                    report(&error);
                }
            }
        }
    }

    fn ended(&self) -> Drained {
        let stats = self.handle.stats();
        let unacked = stats.in_flight;
        if unacked > 0 {
            tracing::warn!(
                pipeline = self.handle.shared.name,
                unacked,
                "the pipeline ended before everything was acknowledged"
            );
        }
        self.handle.shared.tell(|| Event::Drained { unacked });
        Drained { unacked, gave_up: self.gave_up.clone(), stats }
    }
}

/// A stage's own code failed, which is a bug here: callbacks can't get that far.
fn report(error: &JoinError) {
    if error.is_panic() {
        tracing::error!(%error, "a stage of a pipeline panicked");
    }
}
