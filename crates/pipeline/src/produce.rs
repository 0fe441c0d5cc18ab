//! The producer's task: asks the source for what there is room for, and hands it to the processors.
//!
//! **Invariant.** Of one producer never more messages are out than its demand (processors times `max_demand`), and none
//! enters the processors faster than the rate limit allows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::ack::BoxError;
use crate::catch::{caught, caught_now};
use crate::config::{PartitionBy, Shared};
use crate::event::Event;
use crate::failure::Failure;
use crate::lanes::{Lanes, lane_of};
use crate::message::Message;
use crate::process::Chunk;
use crate::producer::{Producer, Restarts};
use crate::running::GaveUp;
use crate::stats::add;

/// The way from the producers to the processors.
pub(crate) struct Dispatch<T> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lanes: Lanes<Chunk<T>>,
    pub(crate) partition_by: Option<PartitionBy<T>>,
    /// What is asked for at once.
    pub(crate) chunk: usize,
    /// The messages of one producer that may be out at a time.
    pub(crate) demand: usize,
}

impl<T> Dispatch<T> {
    /// Hands messages to the processors that they belong to. `permit` covers all of them.
    pub(crate) async fn dispatch(&self, messages: Vec<Message<T>>, mut permit: OwnedSemaphorePermit) {
        let Some(partition_by) = &self.partition_by else {
            return self.lanes.send(0, Chunk { messages, demand: permit }).await;
        };
        let mut parts: Vec<Vec<Message<T>>> = (0..self.lanes.count()).map(|_| Vec::new()).collect();
        for mut message in messages {
            match caught_now(|| partition_by(&message.data)) {
                Ok(partition) => message.partition = partition,
                Err(panic) => message.fail(Failure::panicked("partition_by", &*panic)),
            }
            parts[lane_of(message.partition, self.lanes.count())].push(message);
        }
        for (lane, messages) in parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty()) {
            if let Some(demand) = permit.split(messages.len()) {
                self.lanes.send(lane, Chunk { messages, demand }).await;
            }
        }
    }
}

/// How a producer comes to be.
pub(crate) enum Maker<P> {
    /// Given once: a panic is its end.
    Once(Option<P>),
    /// Made anew after a panic.
    Again(Arc<dyn Fn() -> P + Send + Sync>),
}

impl<P> Maker<P> {
    pub(crate) fn make(&mut self) -> Option<P> {
        match self {
            Self::Once(producer) => producer.take(),
            Self::Again(make) => caught_now(|| make()).ok(),
        }
    }
}

/// How a life of a producer ended.
enum Life {
    /// Its source has ended, or the pipeline drains.
    Ended,
    /// It panicked.
    Crashed(String),
}

/// A producer's task over all its lives.
pub(crate) async fn produce<P: Producer>(
    index: usize,
    mut maker: Maker<P>,
    restarts: Restarts,
    dispatch: Arc<Dispatch<P::Item>>,
) -> Result<(), GaveUp> {
    let shared = Arc::clone(&dispatch.shared);
    let mut crashes: VecDeque<Instant> = VecDeque::new();
    let demand = Arc::new(Semaphore::new(dispatch.demand));
    let mut last = "it could not be made".to_owned();
    while !shared.stop.is_cancelled() {
        if let Some(producer) = maker.make() {
            match live(index, producer, &demand, &dispatch).await {
                Life::Ended => return Ok(()),
                Life::Crashed(error) => last = error,
            }
        }
        let now = Instant::now();
        crashes.push_back(now);
        while crashes.front().is_some_and(|crash| now.duration_since(*crash) > restarts.within) {
            crashes.pop_front();
        }
        if matches!(maker, Maker::Once(_)) || crashes.len() > restarts.most {
            tracing::error!(pipeline = shared.name, producer = index, error = last, "a producer is given up");
            // What is under way is brought to its end, then the pipeline ends.
            shared.stop.cancel();
            return Err(GaveUp { pipeline: shared.name, producer: index, error: last });
        }
        tracing::warn!(pipeline = shared.name, producer = index, error = last, "a producer is made anew");
        add(&shared.counters.producer_restarts, 1);
        shared.tell(|| Event::ProducerRestarted { producer: index, error: &last });
        let failures = u32::try_from(crashes.len()).unwrap_or(u32::MAX);
        tokio::select! {
            () = shared.stop.cancelled() => {}
            () = tokio::time::sleep(pause(failures)) => {}
        }
    }
    Ok(())
}

async fn live<P: Producer>(
    index: usize,
    mut producer: P,
    demand: &Arc<Semaphore>,
    dispatch: &Dispatch<P::Item>,
) -> Life {
    let shared = &dispatch.shared;
    let mut failures = 0_u32;
    let life = loop {
        let wish = shared.limiter.wish(dispatch.chunk);
        let Some(permit) = room(demand, wish, shared).await else { break Life::Ended };
        let answer = tokio::select! {
            biased;
            () = shared.stop.cancelled() => break Life::Ended,
            answer = caught(async { producer.produce(wish).await }) => answer,
        };
        match answer {
            Ok(Ok(Some(messages))) => {
                failures = 0;
                hand_on(index, messages, permit, demand, dispatch).await;
            }
            Ok(Ok(None)) => break Life::Ended,
            Ok(Err(error)) => {
                failures += 1;
                drop(permit);
                if !wait_out(index, error, failures, shared).await {
                    break Life::Ended;
                }
            }
            Err(panic) => break Life::Crashed(Failure::panicked("the producer", &*panic).to_string()),
        }
    };
    if caught(async { producer.stop().await }).await.is_err() {
        tracing::warn!(pipeline = shared.name, producer = index, "a producer panicked while it stopped");
    }
    life
}

/// Waits for room for `wish` messages; `None`: the pipeline drains.
async fn room(demand: &Arc<Semaphore>, wish: usize, shared: &Shared) -> Option<OwnedSemaphorePermit> {
    let wish = u32::try_from(wish).unwrap_or(u32::MAX);
    tokio::select! {
        biased;
        () = shared.stop.cancelled() => None,
        // Nobody closes the semaphore.
        permit = Arc::clone(demand).acquire_many_owned(wish) => permit.ok(),
    }
}

/// Counts what a source gave and lets it pass as the rate allows.
async fn hand_on<T>(
    index: usize,
    mut messages: Vec<Message<T>>,
    mut permit: OwnedSemaphorePermit,
    demand: &Arc<Semaphore>,
    dispatch: &Dispatch<T>,
) {
    let shared = &dispatch.shared;
    if messages.is_empty() {
        // A source that has nothing and does not wait must not keep the processor to itself.
        drop(permit);
        return tokio::task::yield_now().await;
    }
    add(&shared.counters.produced, messages.len());
    shared.tell(|| Event::Produced { producer: index, messages: messages.len() });
    while !messages.is_empty() {
        let (passed, waited) = shared.limiter.pass(messages.len().min(dispatch.chunk)).await;
        if waited {
            shared.counters.rate_waits.fetch_add(1, Ordering::Relaxed);
        }
        let missing = passed.saturating_sub(permit.num_permits());
        if missing > 0 {
            // It gave more than it was asked for: the rest waits for room like everything else.
            let Ok(more) =
                Arc::clone(demand).acquire_many_owned(u32::try_from(missing).unwrap_or(u32::MAX)).await
            else {
                return;
            };
            permit.merge(more);
        }
        let rest = messages.split_off(passed);
        if let Some(covered) = permit.split(passed) {
            dispatch.dispatch(messages, covered).await;
        }
        messages = rest;
    }
}

/// Reports an error and waits; `false`: the pipeline drains.
async fn wait_out(index: usize, error: BoxError, failures: u32, shared: &Shared) -> bool {
    let pause = pause(failures);
    let error = error.to_string();
    add(&shared.counters.producer_errors, 1);
    tracing::warn!(pipeline = shared.name, producer = index, error, ?pause, "a source erred");
    shared.tell(|| Event::ProducerErred { producer: index, error: &error, pause });
    tokio::select! {
        biased;
        () = shared.stop.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}

/// 0.1 s, doubled with each failure, up to 30 s.
fn pause(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(20));
    Duration::from_millis(100).saturating_mul(doubled).min(Duration::from_secs(30))
}
