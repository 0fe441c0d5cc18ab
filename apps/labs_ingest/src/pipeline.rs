//! The shell: one loop owns all state, and what takes time runs in tasks beside it.
//!
//! **Invariant.** The loop always knows which messages a task has in its hands: when the task ends, in whatever way,
//! they go on to the batch, or are settled.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::batcher::Batcher;
use crate::demand::Demand;
use crate::parts::{DeadLetters, Failure, Message, MessageId, Settled, Source, Steps};
use crate::stop::Stop;

/// How a pipeline is built.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most messages in flight: taken, and not settled.
    pub demand: usize,
    /// How many messages are processed at one time.
    pub processors: usize,
    /// The most messages of a batch.
    pub batch: usize,
    /// The longest that a processed message waits for others.
    pub patience: Duration,
}

/// What became of the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Written.
    pub done: usize,
    /// Buried.
    pub failed: usize,
}

/// Runs until the source has ended, or until `stop` is asked, and all that was taken is settled.
pub async fn run<S, P, D>(
    source: Arc<S>,
    steps: Arc<P>,
    dead: Arc<D>,
    settings: Settings,
    stop: Stop,
) -> Totals
where
    S: Source,
    P: Steps<S::Item>,
    D: DeadLetters,
{
    let mut pipeline = Pipeline {
        source,
        steps,
        dead,
        processors: settings.processors.max(1),
        demand: Demand::new(settings.demand),
        batcher: Batcher::new(settings.batch, settings.patience),
        waiting: VecDeque::new(),
        tasks: JoinSet::new(),
        in_hand: HashMap::new(),
        processing: 0,
        taking: None,
        closing: false,
        totals: Totals::default(),
    };
    loop {
        pipeline.ask();
        pipeline.start_processing();
        pipeline.drain();
        let due = pipeline.batcher.due();
        let closing = pipeline.closing;
        tokio::select! {
            Some(ended) = pipeline.tasks.join_next_with_id() => pipeline.ended(ended),
            () = until(due), if due.is_some() => {
                if let Some(batch) = pipeline.batcher.tick(Instant::now()) {
                    pipeline.write(batch);
                }
            }
            () = stop.asked(), if !closing => pipeline.close(),
            else => return pipeline.totals,
        }
    }
}

async fn until(due: Option<Instant>) {
    if let Some(due) = due {
        sleep_until(due).await;
    }
}

/// What a task has in its hands.
enum InHand {
    Nothing,
    Message(MessageId),
    Batch(Vec<MessageId>),
}

/// A task that has come to its end: which one it was, and what it brings back.
type Joined<T, O> = Result<(Id, Ended<T, O>), JoinError>;

/// What a task brings back.
enum Ended<T, O> {
    Taken(Vec<Message<T>>),
    Processed(Result<O, Failure>),
    Written(Result<(), Failure>),
}

struct Pipeline<S: Source, P: Steps<S::Item>, D> {
    source: Arc<S>,
    steps: Arc<P>,
    dead: Arc<D>,
    processors: usize,
    demand: Demand,
    batcher: Batcher<(MessageId, P::Out)>,
    /// Taken, and not with a processor yet. Never more than the demand.
    waiting: VecDeque<Message<S::Item>>,
    tasks: JoinSet<Ended<S::Item, P::Out>>,
    in_hand: HashMap<Id, InHand>,
    processing: usize,
    taking: Option<AbortHandle>,
    /// Nothing more is taken.
    closing: bool,
    totals: Totals,
}

impl<S: Source, P: Steps<S::Item>, D: DeadLetters> Pipeline<S, P, D> {
    fn ask(&mut self) {
        let room = self.demand.room();
        if self.closing || self.taking.is_some() || room == 0 {
            return;
        }
        let source = Arc::clone(&self.source);
        let task = self.tasks.spawn(async move { Ended::Taken(source.take(room).await) });
        self.in_hand.insert(task.id(), InHand::Nothing);
        self.taking = Some(task);
    }

    fn close(&mut self) {
        self.closing = true;
        if let Some(taking) = self.taking.take() {
            taking.abort();
        }
    }

    fn start_processing(&mut self) {
        while self.processing < self.processors
            && let Some(Message { id, item }) = self.waiting.pop_front()
        {
            let steps = Arc::clone(&self.steps);
            let task = self.tasks.spawn(async move { Ended::Processed(steps.process(item).await) });
            self.in_hand.insert(task.id(), InHand::Message(id));
            self.processing += 1;
        }
    }

    fn write(&mut self, batch: Vec<(MessageId, P::Out)>) {
        let (ids, outs) = batch.into_iter().unzip();
        let steps = Arc::clone(&self.steps);
        let task = self.tasks.spawn(async move { Ended::Written(steps.write(outs).await) });
        self.in_hand.insert(task.id(), InHand::Batch(ids));
    }

    fn ended(&mut self, ended: Joined<S::Item, P::Out>) {
        let (task, ended) = match ended {
            Ok((task, ended)) => (task, Ok(ended)),
            Err(lost) => (lost.id(), Err(Failure::from(lost))),
        };
        match (self.in_hand.remove(&task), ended) {
            (Some(InHand::Message(id)), Ok(Ended::Processed(result))) => self.processed(id, result),
            (Some(InHand::Message(id)), Err(failure)) => self.processed(id, Err(failure)),
            (Some(InHand::Batch(ids)), Ok(Ended::Written(result))) => self.written(ids, result),
            (Some(InHand::Batch(ids)), Err(failure)) => self.written(ids, Err(failure)),
            (_, Ok(Ended::Taken(messages))) => self.taken(messages),
            // A source that panics has ended; one that was told to stop is not asked again.
            _ => self.close(),
        }
    }

    fn taken(&mut self, messages: Vec<Message<S::Item>>) {
        self.taking = None;
        if messages.is_empty() {
            return self.close();
        }
        self.demand.took(messages.len());
        self.waiting.extend(messages);
    }

    /// A processor is free again. A panic comes in as a failure.
    fn processed(&mut self, id: MessageId, result: Result<P::Out, Failure>) {
        self.processing -= 1;
        //>> processed
        //? Is a message that was processed well done? What has the source to hear of it, and when?
        //? And one that failed: in which order do you bury and settle it, if a crash may come in between?
        match result {
            Ok(out) => {
                if let Some(batch) = self.batcher.push((id, out), Instant::now()) {
                    self.write(batch);
                }
            }
            Err(reason) => {
                self.dead.bury(id, reason);
                self.settle(Settled { failed: vec![id], ..Settled::default() });
            }
        }
        //<<
    }

    /// A batch is written, or it is not, as a whole. A panic comes in as a failure.
    fn written(&mut self, ids: Vec<MessageId>, result: Result<(), Failure>) {
        //>> written
        //? Whom does a batch that failed take with it? What can a person do about it afterwards?
        //? How many calls does the source get for a hundred messages?
        match result {
            Ok(()) => self.settle(Settled { done: ids, ..Settled::default() }),
            Err(reason) => {
                for id in &ids {
                    self.dead.bury(*id, reason.clone());
                }
                self.settle(Settled { failed: ids, ..Settled::default() });
            }
        }
        //<<
    }

    /// Before each turn: once nothing more can come into the batch, what is held is written, however little.
    fn drain(&mut self) {
        //>> drain
        //? Somebody wants to stop. Half a batch is held, and a processor is busy. What do you wait for, and what not?
        let more_may_come = !self.closing || self.processing > 0 || !self.waiting.is_empty();
        if !more_may_come && let Some(batch) = self.batcher.flush() {
            self.write(batch);
        }
        //<<
    }

    /// Tells the source, and makes room.
    fn settle(&mut self, settled: Settled) {
        self.totals.done += settled.done.len();
        self.totals.failed += settled.failed.len();
        self.demand.settled(settled.done.len() + settled.failed.len());
        self.source.settle(settled);
    }
}
