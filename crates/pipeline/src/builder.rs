//! From settings to a running pipeline.
//!
//! **Invariant.** Nothing runs before `start`, and a pipeline that starts is one that can run.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::batcher::Batcher;
use crate::config::{ConfigError, Core, Hook, PartitionBy, Shared};
use crate::deliver::deliver;
use crate::event::Event;
use crate::gather::gather;
use crate::handler::Handler;
use crate::lanes::lanes;
use crate::process::process;
use crate::produce::{Dispatch, Maker, produce};
use crate::producer::{Producer, Restarts};
use crate::rate::{Limiter, Rate};
use crate::running::{GaveUp, Handle, Running, Stages};
use crate::stats::Counters;
use crate::topology::{BatcherTopology, Topology};

/// Where a pipeline begins.
#[derive(Debug, Clone, Copy)]
pub struct Pipeline;

impl Pipeline {
    /// A pipeline around a handler.
    pub fn builder<H: Handler>(handler: H) -> Builder<H> {
        Builder {
            name: "pipeline",
            handler,
            producers: Vec::new(),
            restarts: Restarts::default(),
            processors: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            max_demand: 200,
            min_demand: 100,
            partition_by: None,
            rate: None,
            batchers: Vec::new(),
            hook: None,
        }
    }
}

/// Spawns a producer's task.
type Spawn<T> = Box<dyn FnOnce(usize, Restarts, Arc<Dispatch<T>>, &mut JoinSet<Result<(), GaveUp>>) + Send>;

/// The settings of a pipeline.
#[must_use = "a pipeline does nothing until it is started"]
pub struct Builder<H: Handler> {
    name: &'static str,
    handler: H,
    producers: Vec<(&'static str, Spawn<H::In>)>,
    restarts: Restarts,
    processors: usize,
    max_demand: usize,
    min_demand: usize,
    partition_by: Option<PartitionBy<H::In>>,
    rate: Option<Rate>,
    batchers: Vec<Batcher<H::In, H::Out>>,
    hook: Option<Hook>,
}

impl<H: Handler> Builder<H> {
    /// Its name, in logs and telemetry.
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Takes messages from this producer. If it panics it is gone: the pipeline drains and ends with [`GaveUp`]. There
    /// may be several, of different kinds. Without any, messages come from [`Handle::push`] alone until the drain.
    pub fn producer<P: Producer<Item = H::In>>(mut self, producer: P) -> Self {
        let name = producer.name();
        let maker = Maker::Once(Some(producer));
        self.producers.push((name, spawner(maker)));
        self
    }

    /// Takes messages from `count` producers, each made by `make` with its number, and made anew after a panic as
    /// often as [`Builder::restarts`] allows.
    pub fn producers<P, F>(mut self, name: &'static str, count: usize, make: F) -> Self
    where
        P: Producer<Item = H::In>,
        F: Fn(usize) -> P + Send + Sync + 'static,
    {
        let make = Arc::new(make);
        for number in 0..count {
            let make = Arc::clone(&make);
            let maker = Maker::Again(Arc::new(move || make(number)));
            self.producers.push((name, spawner(maker)));
        }
        self
    }

    /// How often a producer may be made anew.
    pub fn restarts(mut self, restarts: Restarts) -> Self {
        self.restarts = restarts;
        self
    }

    /// How many processors handle messages at a time; as many as there are cores unless told.
    pub fn processors(mut self, count: usize) -> Self {
        self.processors = count;
        self
    }

    /// How many messages a processor holds at most for each producer, and how few make it ask for more; 200 and 100
    /// unless told. A source is asked for `max - min` at a time.
    pub fn demand(mut self, max: usize, min: usize) -> Self {
        self.max_demand = max;
        self.min_demand = min;
        self
    }

    /// Keeps messages in order that have the same number here, through processor, batcher and batch processor: they
    /// take the lane of the number modulo the lanes. A slow lane holds up the others in time: numbers should spread
    /// evenly. (A failed message does not stop those behind it.)
    pub fn partition_by(mut self, partition: impl Fn(&H::In) -> u64 + Send + Sync + 'static) -> Self {
        self.partition_by = Some(Arc::new(partition));
        self
    }

    /// How fast messages may enter the processors, over all producers; [`Handle::set_rate`] changes it.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Batches messages. The batcher that is declared first takes those that name none.
    pub fn batcher(mut self, batcher: Batcher<H::In, H::Out>) -> Self {
        self.batchers.push(batcher);
        self
    }

    /// Tells `hook` of every [`Event`].
    pub fn on_event(mut self, hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    fn topology(&self) -> Topology {
        Topology {
            name: self.name,
            producers: self.producers.iter().map(|(name, _)| *name).collect(),
            processors: self.processors,
            max_demand: self.max_demand,
            min_demand: self.min_demand,
            partitioned: self.partition_by.is_some(),
            batchers: self.batchers.iter().map(BatcherTopology::of).collect(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let pipeline = self.name;
        let zero = |what, value: usize| match value {
            0 => Err(ConfigError::Zero { pipeline, what }),
            _ => Ok(()),
        };
        zero("processors", self.processors)?;
        zero("demand", self.max_demand)?;
        if self.min_demand >= self.max_demand {
            return Err(ConfigError::Demand { pipeline, max: self.max_demand, min: self.min_demand });
        }
        for (place, batcher) in self.batchers.iter().enumerate() {
            zero("a batcher's size", batcher.size)?;
            zero("a batcher's concurrency", batcher.concurrency)?;
            if self.batchers[..place].iter().any(|other| other.name == batcher.name) {
                return Err(ConfigError::DuplicateBatcher { pipeline, batcher: batcher.name });
            }
        }
        Ok(())
    }

    /// Starts it, in the runtime that this is called in.
    pub fn start(self) -> Result<Running<H::In>, ConfigError> {
        self.check()?;
        let topology = Arc::new(self.topology());
        let shared = Arc::new(Shared {
            name: self.name,
            counters: Counters::new(self.batchers.iter().map(|batcher| batcher.name)),
            limiter: Limiter::new(self.rate),
            stop: CancellationToken::new(),
            hook: self.hook,
        });
        let partitioned = self.partition_by.is_some();
        let core =
            Arc::new(Core { handler: self.handler, shared: Arc::clone(&shared), batchers: self.batchers });
        let mut stages = Stages::default();

        // From the end to the beginning, so that each stage knows the way to the next.
        let mut to_batchers = Vec::new();
        for (batcher, config) in core.batchers.iter().enumerate() {
            // A lane of its own holds one batch; a shared way one for each batch processor.
            let capacity = if partitioned { 1 } else { config.concurrency };
            let (way, inboxes) = lanes(config.concurrency, partitioned, capacity);
            for (processor, inbox) in inboxes.into_iter().enumerate() {
                stages.batch_processors.spawn(deliver(Arc::clone(&core), batcher, processor, inbox));
            }
            let (sender, receiver) = mpsc::channel(1);
            stages.batchers.spawn(gather(Arc::clone(&core), batcher, receiver, way));
            to_batchers.push(sender);
        }
        let demand = self.processors * self.max_demand;
        // Each message in it is covered by some producer's demand: sending never waits.
        let capacity = (self.producers.len() + 1) * demand;
        let (way, inboxes) = lanes(self.processors, partitioned, capacity);
        for (processor, inbox) in inboxes.into_iter().enumerate() {
            stages.processors.spawn(process(Arc::clone(&core), processor, inbox, to_batchers.clone()));
        }
        drop(to_batchers);
        let dispatch = Arc::new(Dispatch {
            shared: Arc::clone(&shared),
            lanes: way,
            partition_by: self.partition_by,
            chunk: self.max_demand - self.min_demand,
            demand,
        });
        // Without producers it stays open for what is pushed.
        let open = self.producers.is_empty().then(|| Arc::clone(&dispatch));
        let handle = Handle {
            shared: Arc::clone(&shared),
            topology: Arc::clone(&topology),
            dispatch: Arc::downgrade(&dispatch),
            pushes: Arc::new(Semaphore::new(demand)),
        };
        shared.tell(|| Event::Started { topology: &topology });
        for (index, (_, spawn)) in self.producers.into_iter().enumerate() {
            spawn(index, self.restarts, Arc::clone(&dispatch), &mut stages.producers);
        }
        Ok(Running::new(handle, stages, open))
    }
}

fn spawner<P: Producer>(maker: Maker<P>) -> Spawn<P::Item> {
    Box::new(move |index, restarts, dispatch, stage| {
        stage.spawn(produce(index, maker, restarts, dispatch));
    })
}

impl<H: Handler> std::fmt::Debug for Builder<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("topology", &self.topology()).finish_non_exhaustive()
    }
}
