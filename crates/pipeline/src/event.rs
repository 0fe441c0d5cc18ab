//! Telemetry events: told to the hook that [`Builder::on_event`](crate::Builder::on_event) sets.
//!
//! **Invariant.** One event a chunk, a batch or a group of acknowledgements; never one a message.

use std::time::Duration;

use crate::batch::Trigger;
use crate::message::BatchKey;
use crate::topology::Topology;

/// Something happened. The hook is called where it happened, so it has to be quick.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The pipeline has started.
    Started {
        /// Its stages.
        topology: &'a Topology,
    },
    /// A producer's source answered.
    Produced {
        /// Which producer.
        producer: usize,
        /// How many messages.
        messages: usize,
    },
    /// A producer's source erred; it is asked again after `pause`.
    ProducerErred {
        /// Which producer.
        producer: usize,
        /// What it said.
        error: &'a str,
        /// How long it is left alone.
        pause: Duration,
    },
    /// A producer panicked and is made anew.
    ProducerRestarted {
        /// Which producer.
        producer: usize,
        /// What it panicked with.
        error: &'a str,
    },
    /// A processor has handled a chunk.
    Processed {
        /// Which processor.
        processor: usize,
        /// How many messages.
        messages: usize,
        /// How many of them failed.
        failed: usize,
        /// How long it took, without waiting for batchers.
        took: Duration,
    },
    /// A batch processor has handled a batch.
    BatchHandled {
        /// Which batcher's.
        batcher: &'static str,
        /// Which of its batch processors.
        processor: usize,
        /// The batch's key.
        key: &'a BatchKey,
        /// Why it was closed.
        trigger: Trigger,
        /// How many messages.
        messages: usize,
        /// How many of them failed.
        failed: usize,
        /// How long it took, without the acknowledgements.
        took: Duration,
    },
    /// The dead-letter hook has been called.
    FailedHandled {
        /// How many messages.
        messages: usize,
        /// Why it failed, if it did.
        error: Option<&'a str>,
        /// How long it took.
        took: Duration,
    },
    /// A source was told of a group of ends.
    Acked {
        /// How many ended well.
        done: usize,
        /// How many failed.
        failed: usize,
        /// Why it could not be told, if so.
        error: Option<&'a str>,
    },
    /// The pipeline has ended.
    Drained {
        /// How many messages were not acknowledged.
        unacked: u64,
    },
}
