//! The open batches of a batcher: what goes where, and which are closed.
//!
//! **Invariant.** Each item is in exactly one batch, behind those of its key and lane that came before it. No batch has
//! more items than the size, no open batch is older than the timeout when `expired` has been asked, and not more than
//! `max_waiting` items are in open batches when `push` has returned.
//!
//! Time comes in as an argument. All batches have the same timeout, so the order in which they were opened is the
//! order in which they expire: the oldest is the first of a `BTreeMap` by number of opening, O(log n) for n open ones.

use std::collections::{BTreeMap, HashMap};

use tokio::time::Instant;

use crate::batch::{Batch, BatchItem, Trigger};
use crate::batcher::{Batcher, Cut, Splitter};
use crate::catch::caught_now;
use crate::failure::Failure;
use crate::message::BatchKey;

pub(crate) struct OpenBatches<I, O> {
    config: Batcher<I, O>,
    open: HashMap<(BatchKey, usize), Open<I, O>, foldhash::fast::RandomState>,
    /// Number of opening, to key: the first is the oldest.
    ages: BTreeMap<u64, (BatchKey, usize)>,
    opened: u64,
    waiting: usize,
}

struct Open<I, O> {
    items: Vec<BatchItem<I, O>>,
    splitter: Option<Splitter<I, O>>,
    age: u64,
    due: Instant,
}

impl<I, O> OpenBatches<I, O> {
    pub(crate) fn new(config: Batcher<I, O>) -> Self {
        Self { config, open: HashMap::default(), ages: BTreeMap::new(), opened: 0, waiting: 0 }
    }

    /// How many items are in open batches.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// When the oldest open batch has to be closed.
    pub(crate) fn due(&self) -> Option<Instant> {
        let (_, place) = self.ages.first_key_value()?;
        self.open.get(place).map(|open| open.due)
    }

    /// Sorts an item in; batches that are closed by it go to `closed`, in order.
    pub(crate) fn push(
        &mut self,
        mut item: BatchItem<I, O>,
        lane: usize,
        now: Instant,
        closed: &mut Vec<Batch<I, O>>,
    ) {
        let flush = item.message.flush;
        // Looked up by a copy of the key, which is a number or a counted pointer.
        let place = (item.message.key.clone(), lane);
        let mut cut = self.judge(&place, &mut item, now);
        if cut == Cut::Before {
            if self.open.get(&place).is_some_and(|open| !open.items.is_empty()) {
                closed.extend(self.close(&place, Trigger::Split));
                cut = self.judge(&place, &mut item, now);
            }
            // The first of a batch can't be cut off before itself.
            if cut == Cut::Before {
                cut = Cut::No;
            }
        }
        let Some(open) = self.open.get_mut(&place) else { return };
        open.items.push(item);
        self.waiting += 1;
        let trigger = if open.items.len() >= self.config.size {
            Some(Trigger::Size)
        } else if cut == Cut::After {
            Some(Trigger::Split)
        } else {
            flush.then_some(Trigger::Flush)
        };
        if let Some(trigger) = trigger {
            closed.extend(self.close(&place, trigger));
        }
        while self.waiting > self.config.max_waiting_items() {
            closed.extend(self.close_oldest(Trigger::Pressure));
        }
    }

    /// Asks the splitter of the batch at `place`, which is opened if there is none. One that panics fails the item.
    fn judge(&mut self, place: &(BatchKey, usize), item: &mut BatchItem<I, O>, now: Instant) -> Cut {
        if !self.open.contains_key(place) {
            self.opened += 1;
            self.ages.insert(self.opened, place.clone());
            let splitter = self.config.splitter.as_ref().map(|make| make());
            let items = Vec::with_capacity(self.config.size.min(1_024));
            let due = now + self.config.timeout;
            self.open.insert(place.clone(), Open { items, splitter, age: self.opened, due });
        }
        let Some(splitter) = self.open.get_mut(place).and_then(|open| open.splitter.as_mut()) else {
            return Cut::No;
        };
        caught_now(|| splitter(item)).unwrap_or_else(|panic| {
            item.message.fail(Failure::panicked("the splitter", &*panic));
            Cut::After
        })
    }

    /// The oldest open batch, if its time has come.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<Batch<I, O>> {
        self.due().filter(|due| *due <= now)?;
        self.close_oldest(Trigger::Timeout)
    }

    /// The oldest open batch.
    pub(crate) fn close_oldest(&mut self, trigger: Trigger) -> Option<Batch<I, O>> {
        let (_, place) = self.ages.first_key_value()?;
        self.close(&place.clone(), trigger)
    }

    fn close(&mut self, place: &(BatchKey, usize), trigger: Trigger) -> Option<Batch<I, O>> {
        let open = self.open.remove(place)?;
        self.ages.remove(&open.age);
        self.waiting -= open.items.len();
        let (key, lane) = place.clone();
        Some(Batch { items: open.items, batcher: self.config.name, key, lane, trigger })
    }
}
