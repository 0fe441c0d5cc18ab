//! The gate's own source, steps and graveyard, which count and fail by plan.
//!
//! **Invariant.** The depot lends a message again after a crash exactly if it was never settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gate::proptest::strategy::BoxedStrategy;
use gate::{Gauge, Tally};
use labs_ingest::{
    DeadLetters, Failure, Message, MessageId, Settings, Settled, Source, Steps, Stop, Totals, run,
};
use tokio::sync::Notify;
use tokio::time::sleep;

/// What happens to a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written.
    Fine,
    /// Its processing says that it can't.
    Refused,
    /// Its processing panics.
    Panics,
    /// The write of its batch says that it can't.
    Unwritable,
    /// The write of its batch panics.
    Explodes,
}

/// A message's content: its number and its fate.
pub(crate) type Item = (u64, Fate);

/// Lends messages, and keeps them until they are settled.
#[derive(Debug, Default)]
pub(crate) struct Depot {
    state: Mutex<State>,
    more: Notify,
    /// Calls of `take`.
    pub(crate) takes: Tally,
    /// Calls of `settle`.
    pub(crate) settles: Tally,
    /// Lent and not settled.
    pub(crate) in_flight: Gauge,
    /// Where what has failed must be by the time that it is settled.
    pub(crate) graves: Arc<Graveyard>,
}

#[derive(Debug, Default)]
struct State {
    left: BTreeMap<u64, Item>,
    lent: BTreeMap<u64, Item>,
    done: Vec<u64>,
    failed: Vec<u64>,
    ended: bool,
}

impl Depot {
    /// With these messages, named 0, 1, 2, …, and no more to come.
    pub(crate) fn of(fates: impl IntoIterator<Item = Fate>) -> Arc<Self> {
        let depot = Self::open();
        for fate in fates {
            depot.bring(fate);
        }
        depot.end();
        depot
    }

    /// Empty, with more to come.
    pub(crate) fn open() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn bring(&self, fate: Fate) {
        let mut state = self.state();
        let next = (state.left.len() + state.lent.len() + state.done.len() + state.failed.len()) as u64;
        state.left.insert(next, (next, fate));
        self.more.notify_waiters();
    }

    /// No more will come.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.more.notify_waiters();
    }

    /// After a crash: what was lent and not settled is lent again.
    pub(crate) fn reopen(&self) {
        let mut state = self.state();
        let mut lent = std::mem::take(&mut state.lent);
        state.left.append(&mut lent);
        drop(state);
        while self.in_flight.now() > 0 {
            self.in_flight.leave();
        }
    }

    /// Settled as done, in that order.
    pub(crate) fn done(&self) -> Vec<u64> {
        self.state().done.clone()
    }

    /// Settled as failed, in that order.
    pub(crate) fn failed(&self) -> Vec<u64> {
        self.state().failed.clone()
    }

    /// Never lent, or lent and not settled.
    pub(crate) fn open_messages(&self) -> usize {
        let state = self.state();
        state.left.len() + state.lent.len()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Depot {
    type Item = Item;

    async fn take(&self, most: usize) -> Vec<Message<Item>> {
        self.takes.one();
        loop {
            let mut more = std::pin::pin!(self.more.notified());
            more.as_mut().enable();
            {
                let mut state = self.state();
                let names: Vec<u64> = state.left.keys().copied().take(most).collect();
                let mut taken = Vec::with_capacity(names.len());
                for name in names {
                    if let Some(item) = state.left.remove(&name) {
                        state.lent.insert(name, item);
                        taken.push(Message { id: MessageId(name), item });
                        self.in_flight.enter();
                    }
                }
                if !taken.is_empty() || state.ended {
                    return taken;
                }
            }
            more.await;
        }
    }

    fn settle(&self, settled: Settled) {
        self.settles.one();
        let mut state = self.state();
        for (ids, is_done) in [(settled.done, true), (settled.failed, false)] {
            for MessageId(name) in ids {
                assert!(
                    state.lent.remove(&name).is_some(),
                    "message {name} was settled twice, or never lent"
                );
                let is_safe = is_done || self.graves.letters().contains_key(&name);
                assert!(is_safe, "message {name} is settled as failed, and not buried: a crash now loses it");
                if is_done {
                    state.done.push(name);
                } else {
                    state.failed.push(name);
                }
                self.in_flight.leave();
            }
        }
    }
}

/// Processes by each message's fate, and keeps what was written.
#[derive(Debug, Default)]
pub(crate) struct Works {
    /// How long a message is processed.
    pub(crate) processing: Duration,
    /// How long a batch is written.
    pub(crate) writing: Duration,
    /// How many are processed at one time.
    pub(crate) busy: Gauge,
    /// What was written, batch by batch.
    pub(crate) written: Mutex<Vec<Vec<u64>>>,
}

impl Works {
    /// What was written, batch by batch.
    pub(crate) fn batches(&self) -> Vec<Vec<u64>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was written, all in all.
    pub(crate) fn written(&self) -> Vec<u64> {
        self.batches().concat()
    }
}

impl Steps<Item> for Works {
    type Out = Item;

    async fn process(&self, (name, fate): Item) -> Result<Item, Failure> {
        self.busy.enter();
        sleep(self.processing).await;
        self.busy.leave();
        match fate {
            Fate::Refused => Err(Failure(format!("message {name} makes no sense"))),
            Fate::Panics => panic!("message {name} is poison"),
            _ => Ok((name, fate)),
        }
    }

    async fn write(&self, batch: Vec<Item>) -> Result<(), Failure> {
        sleep(self.writing).await;
        for (name, fate) in &batch {
            match fate {
                Fate::Unwritable => return Err(Failure(format!("no room for message {name}"))),
                Fate::Explodes => panic!("message {name} breaks the store"),
                _ => {}
            }
        }
        let names = batch.into_iter().map(|(name, _)| name).collect();
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(names);
        Ok(())
    }
}

/// Dead letters: name and reason.
#[derive(Debug, Default)]
pub(crate) struct Graveyard(Mutex<BTreeMap<u64, String>>);

impl Graveyard {
    pub(crate) fn letters(&self) -> BTreeMap<u64, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl DeadLetters for Graveyard {
    fn bury(&self, id: MessageId, reason: Failure) {
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.0, reason.to_string());
        assert_eq!(before, None, "message {} was buried twice", id.0);
    }
}

/// Demand 10, two processors, batches of 5, a patience of a second.
pub(crate) const SMALL: Settings =
    Settings { demand: 10, processors: 2, batch: 5, patience: Duration::from_secs(1) };

/// One pipeline with everything around it.
#[derive(Debug, Default)]
pub(crate) struct Plant {
    pub(crate) depot: Arc<Depot>,
    pub(crate) works: Arc<Works>,
    pub(crate) stop: Stop,
}

impl Plant {
    /// Before this depot.
    pub(crate) fn new(depot: Arc<Depot>) -> Self {
        Self { depot, ..Self::default() }
    }

    /// Runs the pipeline to its end.
    pub(crate) async fn run(&self, settings: Settings) -> Totals {
        let Self { depot, works, stop } = self;
        run(Arc::clone(depot), Arc::clone(works), Arc::clone(&depot.graves), settings, stop.clone()).await
    }
}

/// The law of all laws, for messages of these fates and settings of any kind.
pub(crate) fn settled_once(fates: BoxedStrategy<Vec<Fate>>) {
    gate::law(100, (fates, 1_usize..12, 1_usize..4, 1_usize..7), |(fates, demand, processors, batch)| {
        gate::virtually(async || {
            let plant = Plant::new(Depot::of(fates.iter().copied()));
            let patience = Duration::from_millis(50);
            let totals = plant.run(Settings { demand, processors, batch, patience }).await;
            let set = |names: Vec<u64>| names.into_iter().collect::<BTreeSet<_>>();
            assert_eq!(plant.depot.open_messages(), 0, "neither done nor failed");
            assert_eq!(totals.done + totals.failed, fates.len(), "of {} messages", fates.len());
            assert_eq!(set(plant.depot.done()), set(plant.works.written()), "done, and written");
            let buried = plant.depot.graves.letters().into_keys().collect::<BTreeSet<_>>();
            assert_eq!(set(plant.depot.failed()), buried, "failed, and buried");
        });
    });
}
