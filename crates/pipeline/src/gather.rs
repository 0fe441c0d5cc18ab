//! The batcher's task: chunks in, batches out.
//!
//! **Invariant.** It holds no more than its open batches and what it is sorting in; while the batch processors are busy
//! it takes nothing, and so the processors wait, and so the sources are not asked.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::batch::{Batch, BatchItem, Trigger};
use crate::batching::OpenBatches;
use crate::config::Core;
use crate::handler::Handler;
use crate::lanes::{Lanes, lane_of};

/// What a processor hands to a batcher at once.
pub(crate) type Gathered<H> = Vec<BatchItem<<H as Handler>::In, <H as Handler>::Out>>;
/// What a batcher hands to a batch processor.
pub(crate) type Closed<H> = Batch<<H as Handler>::In, <H as Handler>::Out>;

pub(crate) async fn gather<H: Handler>(
    core: Arc<Core<H>>,
    place: usize,
    mut inbox: mpsc::Receiver<Gathered<H>>,
    lanes: Lanes<Closed<H>>,
) {
    let mut batches = OpenBatches::new(core.batchers[place].clone());
    let waiting = &core.shared.counters.batchers[place].waiting;
    let mut closed = Vec::new();
    loop {
        let due = batches.due();
        let chunk = tokio::select! {
            // Time first: a full inbox must not keep an old batch open.
            biased;
            () = async { match due { Some(due) => sleep_until(due).await, None => pending().await } } => {
                closed.extend(batches.expired(Instant::now()));
                None
            }
            chunk = inbox.recv() => match chunk {
                Some(chunk) => Some(chunk),
                None => break,
            },
        };
        let now = Instant::now();
        for item in chunk.into_iter().flatten() {
            let lane = lane_of(item.message.partition, lanes.count());
            batches.push(item, lane, now, &mut closed);
            for batch in closed.drain(..) {
                waiting.store(batches.waiting() as u64, Ordering::Relaxed);
                lanes.send(batch.lane, batch).await;
            }
        }
        for batch in closed.drain(..) {
            lanes.send(batch.lane, batch).await;
        }
        waiting.store(batches.waiting() as u64, Ordering::Relaxed);
    }
    while let Some(batch) = batches.close_oldest(Trigger::Drain) {
        lanes.send(batch.lane, batch).await;
    }
    waiting.store(0, Ordering::Relaxed);
}
