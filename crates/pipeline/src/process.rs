//! The processor's task: handles messages one by one and sorts them to their batchers.
//!
//! **Invariant.** A chunk's demand is given back only when all its messages have left the processor: to a batcher, or
//! to their acknowledgement.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;

use crate::ack::Ends;
use crate::batch::BatchItem;
use crate::catch::caught;
use crate::config::Core;
use crate::deliver::end;
use crate::event::Event;
use crate::failure::Failure;
use crate::gather::Gathered;
use crate::handler::{Failed, Handler};
use crate::lanes::Inbox;
use crate::message::Message;
use crate::stats::{add, add_time};

/// Messages on their way from a producer, and the demand that they fill.
pub(crate) struct Chunk<T> {
    pub(crate) messages: Vec<Message<T>>,
    /// Dropped with the chunk: the producer may then be asked for as many.
    pub(crate) demand: OwnedSemaphorePermit,
}

pub(crate) async fn process<H: Handler>(
    core: Arc<Core<H>>,
    processor: usize,
    mut inbox: Inbox<Chunk<H::In>>,
    batchers: Vec<mpsc::Sender<Gathered<H>>>,
) {
    while let Some(Chunk { messages, demand }) = inbox.next().await {
        let sorted = handle(&core, processor, messages).await;
        for (batcher, items) in batchers.iter().zip(sorted.batches) {
            if !items.is_empty() {
                // Nobody there: the pipeline was aborted.
                drop(batcher.send(items).await);
            }
        }
        end(&core, sorted.ends, sorted.failed).await;
        drop(demand);
    }
}

/// What became of a chunk's messages.
struct Sorted<H: Handler> {
    /// One for each batcher.
    batches: Vec<Gathered<H>>,
    /// Those that end here because there are no batchers.
    ends: Ends,
    failed: Vec<Failed<H::In>>,
}

async fn handle<H: Handler>(
    core: &Core<H>,
    processor: usize,
    mut messages: Vec<Message<H::In>>,
) -> Sorted<H> {
    let count = messages.len();
    let began = Instant::now();
    let counters = &core.shared.counters;
    let mut sorted = Sorted {
        batches: core.batchers.iter().map(|_| Vec::new()).collect(),
        ends: Ends::new(),
        failed: Vec::new(),
    };
    let prepared = match caught(async { core.handler.prepare(&mut messages).await }).await {
        Ok(answer) => answer,
        Err(panic) => {
            add(&counters.panics, 1);
            Err(Failure::panicked("prepare", &*panic))
        }
    };
    for mut message in messages {
        let handled = match (message.failure.take(), &prepared) {
            (Some(failure), _) => Err(failure),
            (None, Err(failure)) => Err(failure.clone()),
            (None, Ok(())) => match caught(async { core.handler.handle_message(&mut message).await }).await {
                Ok(answer) => answer,
                Err(panic) => {
                    add(&counters.panics, 1);
                    Err(Failure::panicked("handle_message", &*panic))
                }
            },
        };
        match handled {
            Ok(data) => sorted.route(core, message, data, count),
            Err(failure) => sorted.failed.push(Failed { message, failure }),
        }
    }
    let took = began.elapsed();
    let failed = sorted.failed.len();
    add(&counters.processed, count - failed);
    add(&counters.process_failed, failed);
    add_time(&counters.process_nanos, took);
    core.shared.tell(|| Event::Processed { processor, messages: count, failed, took });
    sorted
}

impl<H: Handler> Sorted<H> {
    fn route(&mut self, core: &Core<H>, mut message: Message<H::In>, data: H::Out, count: usize) {
        // What the handler itself failed and then called good is failed.
        if let Some(failure) = message.failure.take() {
            return self.failed.push(Failed { message, failure });
        }
        if core.batchers.is_empty() {
            return self.ends.done(message.into_ack(), count);
        }
        let place = match message.batcher {
            None => Some(0),
            Some(name) => core.batchers.iter().position(|batcher| batcher.name == name),
        };
        let Some(place) = place else {
            let name = message.batcher.unwrap_or_default();
            let failure = Failure::reject(format_args!("there is no batcher named {name}"));
            return self.failed.push(Failed { message, failure });
        };
        let batch = &mut self.batches[place];
        if batch.capacity() == 0 {
            batch.reserve(count);
        }
        batch.push(BatchItem { data, message });
    }
}
