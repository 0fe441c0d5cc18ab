//! What a pipeline consists of.
//!
//! **Invariant.** It never changes after the start, and from it follows how many messages can be under way.

/// The stages of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The pipeline's name.
    pub name: &'static str,
    /// The name of each producer.
    pub producers: Vec<&'static str>,
    /// How many processors there are.
    pub processors: usize,
    /// How many messages a processor holds at most, for each producer: waiting, in hand, or on their way to a batcher.
    pub max_demand: usize,
    /// A producer is asked for more as soon as a processor holds this few.
    pub min_demand: usize,
    /// Whether messages of one partition stay in order.
    pub partitioned: bool,
    /// The batchers, in order of declaration; the first is the one for messages that name none.
    pub batchers: Vec<BatcherTopology>,
}

/// A batcher and the batch processors behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatcherTopology {
    /// Its name.
    pub name: &'static str,
    /// Items of a batch, at most.
    pub size: usize,
    /// How long the first item of a batch waits.
    pub timeout: std::time::Duration,
    /// How many batch processors there are.
    pub concurrency: usize,
    /// Items in open batches, at most.
    pub max_waiting: usize,
}

impl Topology {
    /// What a producer is asked for at once.
    pub fn chunk(&self) -> usize {
        self.max_demand - self.min_demand
    }

    /// No more messages than this are ever between their sources and their acknowledgements: what producers may have
    /// handed out (tests and pushes count as one producer more), and what batchers hold behind the processors.
    pub fn in_flight_bound(&self) -> usize {
        let demand = (self.producers.len() + 1) * self.processors * self.max_demand;
        self.batchers.iter().fold(demand, |sum, batcher| {
            // A chunk may be taken and not yet sorted in; the queue to the batcher holds one; one batch a processor is
            // in hand, one waits for it, one waits for the queue.
            sum + 2 * self.chunk() + batcher.max_waiting + (2 * batcher.concurrency + 1) * batcher.size
        })
    }
}

impl BatcherTopology {
    pub(crate) fn of<I, O>(batcher: &crate::Batcher<I, O>) -> Self {
        Self {
            name: batcher.name,
            size: batcher.size,
            timeout: batcher.timeout,
            concurrency: batcher.concurrency,
            max_waiting: batcher.max_waiting_items(),
        }
    }
}

impl std::fmt::Display for Topology {
    /// One line a stage, for logs and people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "pipeline {}", self.name)?;
        for producer in &self.producers {
            writeln!(f, "  producer {producer}")?;
        }
        let order = if self.partitioned { ", in order within a partition" } else { "" };
        writeln!(
            f,
            "  {} processors, demand {} to {}{order}",
            self.processors, self.min_demand, self.max_demand
        )?;
        for batcher in &self.batchers {
            writeln!(
                f,
                "  batcher {}: {} items or {:?}, {} batch processors",
                batcher.name, batcher.size, batcher.timeout, batcher.concurrency
            )?;
        }
        Ok(())
    }
}
