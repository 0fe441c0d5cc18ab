//! The newest price of each product, on its way to the catalogue.
//!
//! **Invariant.** Only a newer time, or a later row of the same time, replaces a price; one is handed on only when its
//! time is over (or the file is), so the catalogue never has to choose between two prices of one moment.

use std::collections::HashMap;

use pulse_core::{Money, Sku, Timestamp};

#[derive(Debug, Clone, Copy)]
struct Newest {
    at: Timestamp,
    price: Money,
    handed_on: bool,
}

/// The newest prices of one file.
#[derive(Debug, Default)]
pub(super) struct Prices {
    newest: HashMap<Sku, Newest>,
    /// Prices that are not handed on yet.
    waiting: usize,
    now: Timestamp,
}

impl Prices {
    /// A product was sold for so much; rows come in the order of the file.
    pub(super) fn note(&mut self, sku: Sku, price: Money, at: Timestamp) {
        self.now = self.now.max(at);
        let new = Newest { at, price, handed_on: false };
        match self.newest.get_mut(&sku) {
            Some(known) if known.at > at => {}
            Some(known) => {
                self.waiting += usize::from(known.handed_on);
                *known = new;
            }
            None => {
                self.waiting += 1;
                self.newest.insert(sku, new);
            }
        }
    }

    /// How many prices wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// The prices to hand on; at the end of a file all that wait. In the order of the codes.
    pub(super) fn take(&mut self, end: bool) -> Vec<(Sku, Money, Timestamp)> {
        let mut taken: Vec<_> = self
            .newest
            .iter_mut()
            .filter(|(_, newest)| !newest.handed_on && (end || newest.at < self.now))
            .map(|(sku, newest)| {
                newest.handed_on = true;
                (*sku, newest.price, newest.at)
            })
            .collect();
        self.waiting -= taken.len();
        taken.sort_unstable_by_key(|(sku, ..)| *sku);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_the_later_row_of_two_of_one_time() {
        let (a, b) = (Sku::new("85123A").unwrap(), Sku::new("71053").unwrap());
        let mut prices = Prices::default();
        prices.note(a, Money::gbp(100), Timestamp(5));
        prices.note(a, Money::gbp(90), Timestamp(4));
        assert!(prices.take(false).is_empty(), "its time is not over");
        prices.note(a, Money::gbp(80), Timestamp(5));
        prices.note(b, Money::gbp(1), Timestamp(6));
        assert_eq!(prices.waiting(), 2);
        assert_eq!(prices.take(false), [(a, Money::gbp(80), Timestamp(5))]);
        assert!(prices.take(false).is_empty(), "each is handed on once");
        prices.note(a, Money::gbp(70), Timestamp(7));
        assert_eq!(prices.take(true), [(b, Money::gbp(1), Timestamp(6)), (a, Money::gbp(70), Timestamp(7))]);
        assert_eq!(prices.waiting(), 0);
    }
}
