//! The most frequent values, with counts that are never too high.
//!
//! **Invariant.** For every value, `count <= true count <= count + error`, where a value that is not kept has a count of 0; and the error
//! is at most 1/128 of all values. So who occurs more often than that is always among the kept ones. It holds after any merges.
//!
//! Misra and Gries (1982) keep k counters, and where a new value finds none free, all are lowered by one. Here they are lowered by the
//! median of the counts at once, which frees half of them (Anderson and others, 2017); merged as by Agarwal and others (2012).

use super::slots::Slots;
use super::text::Text;

/// Counters that are kept.
const COUNTERS: usize = 256;

/// One kept value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub text: Text,
    /// How often it occurred, at least.
    pub count: u64,
    hash: u64,
}

/// Counters for the values that may be frequent.
#[derive(Debug, Clone, Default)]
pub struct Frequent {
    items: Vec<Item>,
    /// Finds an item by its hash; rebuilt when items go.
    slots: Slots,
    error: u64,
}

impl Frequent {
    /// Takes in a value, with its [`hash`](crate::hash). Constant time on average.
    #[inline]
    pub fn add(&mut self, hash: u64, text: &[u8]) {
        let items = &self.items;
        match self.slots.find(hash, |place| items[place].hash == hash && items[place].text.starts(text)) {
            Some(place) => self.items[place].count += 1,
            None => self.keep(Item { text: Text::new(text), count: 1, hash }),
        }
    }

    /// Takes in what another has seen.
    pub fn merge(&mut self, other: &Self) {
        self.error += other.error;
        for item in &other.items {
            let items = &self.items;
            match self
                .slots
                .find(item.hash, |place| items[place].hash == item.hash && items[place].text == item.text)
            {
                Some(place) => self.items[place].count += item.count,
                None => self.keep(item.clone()),
            }
        }
    }

    /// The most frequent values, the most frequent one first; equal ones in the order of their text.
    pub fn top(&self, most: usize) -> Vec<Item> {
        let mut items = self.items.clone();
        items.sort_unstable_by(|a, b| b.count.cmp(&a.count).then(a.text.cmp(&b.text)));
        items.truncate(most);
        items
    }

    /// By how much a count may be too low.
    pub fn error(&self) -> u64 {
        self.error
    }

    /// Keeps a value that is not among the items; lowers all counts first if no counter is free.
    fn keep(&mut self, mut item: Item) {
        //>> frequent_keep
        //? If all counts are lowered by the same number, the new one's too, which of them are gone, and what does it do to the error?
        if self.items.len() == COUNTERS {
            let lower = self.median();
            self.error += lower;
            self.items.retain_mut(|kept| {
                kept.count = kept.count.saturating_sub(lower);
                kept.count > 0
            });
            self.slots.clear();
            for (place, kept) in self.items.iter().enumerate() {
                self.slots.insert(kept.hash, place);
            }
            item.count = item.count.saturating_sub(lower);
        }
        if item.count > 0 {
            self.slots.insert(item.hash, self.items.len());
            self.items.push(item);
        }
        //<<
    }

    /// The count that half of the items reach.
    fn median(&self) -> u64 {
        let mut counts = [0; COUNTERS];
        for (count, item) in counts.iter_mut().zip(&self.items) {
            *count = item.count;
        }
        *counts.select_nth_unstable(COUNTERS / 2).1
    }
}
