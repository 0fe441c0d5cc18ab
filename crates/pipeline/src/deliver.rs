//! The batch processor's task, and how messages end.
//!
//! **Invariant.** Every item of a batch is told to its source once, after the batch was handled, whatever the handler
//! did; failed ones after the dead-letter hook has seen them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;
use tracing::Instrument;

use crate::ack::Ends;
use crate::catch::caught;
use crate::config::Core;
use crate::event::Event;
use crate::failure::{Failure, Next};
use crate::gather::Closed;
use crate::handler::{Failed, Handler};
use crate::lanes::Inbox;
use crate::stats::{add, add_time};

pub(crate) async fn deliver<H: Handler>(
    core: Arc<Core<H>>,
    batcher: usize,
    processor: usize,
    mut inbox: Inbox<Closed<H>>,
) {
    while let Some(batch) = inbox.next().await {
        let span = tracing::info_span!(
            "batch",
            pipeline = core.shared.name,
            batcher = batch.batcher,
            messages = batch.items.len(),
            trigger = batch.trigger.name(),
        );
        handle(&core, batcher, processor, batch).instrument(span).await;
    }
}

async fn handle<H: Handler>(core: &Core<H>, batcher: usize, processor: usize, mut batch: Closed<H>) {
    let messages = batch.items.len();
    let began = Instant::now();
    // Only a splitter that panicked fails items before their batch is handled; the handler shall not see those.
    let mut failed: Vec<Failed<H::In>> = batch
        .items
        .extract_if(.., |item| item.is_failed())
        .filter_map(|item| into_failed(item.message))
        .collect();
    let whole = if batch.items.is_empty() {
        Ok(())
    } else {
        caught(async { core.handler.handle_batch(&mut batch).await }).await.unwrap_or_else(|panic| {
            add(&core.shared.counters.panics, 1);
            Err(Failure::panicked("handle_batch", &*panic))
        })
    };
    let took = began.elapsed();
    let mut ends = Ends::new();
    for mut item in batch.items {
        if let Err(failure) = &whole
            && !item.is_failed()
        {
            item.message.fail(failure.clone());
        }
        if item.is_failed() {
            failed.extend(into_failed(item.message));
        } else {
            ends.done(item.message.into_ack(), messages);
        }
    }
    let counters = &core.shared.counters.batchers[batcher];
    add(&counters.batches, 1);
    add(&counters.messages, messages);
    add(&counters.failed, failed.len());
    add_time(&counters.nanos, took);
    counters.triggers[batch.trigger as usize].fetch_add(1, Ordering::Relaxed);
    core.shared.tell(|| Event::BatchHandled {
        batcher: batch.batcher,
        processor,
        key: &batch.key,
        trigger: batch.trigger,
        messages,
        failed: failed.len(),
        took,
    });
    end(core, ends, failed).await;
}

fn into_failed<T>(mut message: crate::Message<T>) -> Option<Failed<T>> {
    let failure = message.failure.take()?;
    Some(Failed { message, failure })
}

/// The end of messages: the dead-letter hook for those that failed, then one call a source.
pub(crate) async fn end<H: Handler>(core: &Core<H>, mut ends: Ends, mut failed: Vec<Failed<H::In>>) {
    if !failed.is_empty() {
        bury(core, &mut failed).await;
        for Failed { message, failure } in failed {
            ends.failed(message.into_ack(), failure);
        }
    }
    ends.settle(&core.shared).await;
}

async fn bury<H: Handler>(core: &Core<H>, failed: &mut [Failed<H::In>]) {
    let began = Instant::now();
    if let Some(first) = failed.first() {
        // Not louder: a feed full of dirt is the dead letters' to report.
        tracing::debug!(
            pipeline = core.shared.name,
            messages = failed.len(),
            first = first.failure.reason(),
            "messages failed"
        );
    }
    let error = match caught(async { core.handler.handle_failed(failed).await }).await {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(panic) => {
            add(&core.shared.counters.panics, 1);
            Some(Failure::panicked("handle_failed", &*panic))
        }
    };
    if let Some(error) = &error {
        add(&core.shared.counters.failed_hook_errors, 1);
        tracing::error!(
            pipeline = core.shared.name,
            messages = failed.len(),
            error = error.reason(),
            "the dead-letter hook failed; the messages are to be delivered again"
        );
        for Failed { failure, .. } in failed.iter_mut() {
            if failure.next() == Next::Reject {
                *failure = failure.clone().with_next(Next::Retry);
            }
        }
    }
    core.shared.tell(|| Event::FailedHandled {
        messages: failed.len(),
        error: error.as_ref().map(Failure::reason),
        took: began.elapsed(),
    });
}
