//! What rows do to the goods that the shop has: the decision, without a database.
//!
//! **Invariant.** Rows are taken one after the other, so that a batch does what its rows would do alone, wherever it is
//! cut: the last price of a time wins, a move is judged by what the rows before it left.

mod catalogue;

use std::collections::BTreeMap;

use pulse_core::{Money, Sku, Timestamp};

pub(super) use catalogue::{Item, Shelf, catalogue};

use super::rows::{Entry, Fault, NewLetter, Pieces, PriceRow, Reason, StockRow};
use crate::catalog::MOST_PIECES;

/// Pieces that were ever delivered of one product, at most; the schema says the same.
const MOST_DELIVERED: i64 = 1_000_000_000_000_000;

/// What happens to a row of the very time that the shop already knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// It is taken: within a feed the later row is the newer one.
    Win,
    /// It is not: a row that was mended later has stood before those that came in meanwhile.
    Lose,
}

impl Ties {
    fn takes(self, new: Timestamp, known: Timestamp) -> bool {
        new > known || new == known && self == Self::Win
    }
}

/// A value that rows move: as it was read, and as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moving<T> {
    pub(super) was: T,
    pub(super) now: T,
}

impl<T: Copy + PartialEq> Moving<T> {
    pub(super) const fn still(value: T) -> Self {
        Self { was: value, now: value }
    }

    pub(super) fn moved(&self) -> bool {
        self.was != self.now
    }
}

/// A price on a shelf, and since when.
pub(super) type Price = (Money, Timestamp);

/// The pieces on a shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stock {
    pub(super) pieces: i64,
    pub(super) counted_at: Timestamp,
    pub(super) delivered: i64,
    /// Corrections since it was read.
    pub(super) adjusted: i64,
}

/// What rows did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) changed: u64,
    pub(super) unchanged: u64,
    pub(super) dead: Vec<NewLetter>,
}

impl Tally {
    pub(super) fn count(&mut self, changed: bool) {
        if changed { self.changed += 1 } else { self.unchanged += 1 }
    }

    pub(super) fn bury<T>(&mut self, entry: &Entry<T>, fault: Fault) {
        self.dead.push(NewLetter::new(entry.place, &entry.text, false, vec![fault]));
    }
}

pub(super) fn unknown(sku: Sku) -> Fault {
    Fault::of(Reason::UnknownProduct, "sku", format!("names {sku}, which the catalogue does not have"))
}

/// Prices, in the order of their rows.
pub(super) fn prices(
    rows: &[Entry<PriceRow>],
    shelves: &mut BTreeMap<Sku, Moving<Price>>,
    ties: Ties,
) -> Tally {
    let mut tally = Tally::default();
    for entry in rows {
        let PriceRow { sku, price, at } = entry.row;
        let Some(shelf) = shelves.get_mut(&sku) else {
            tally.bury(entry, unknown(sku));
            continue;
        };
        let (known, since) = shelf.now;
        let newer = ties.takes(at, since);
        if newer {
            shelf.now = (price, at);
        }
        tally.count(newer && price != known);
    }
    tally
}

/// Counts and moves, in the order of their rows.
pub(super) fn stock(
    rows: &[Entry<StockRow>],
    shelves: &mut BTreeMap<Sku, Moving<Stock>>,
    ties: Ties,
) -> Tally {
    let mut tally = Tally::default();
    for entry in rows {
        let StockRow { sku, pieces, at } = entry.row;
        let Some(shelf) = shelves.get_mut(&sku) else {
            tally.bury(entry, unknown(sku));
            continue;
        };
        let now = &mut shelf.now;
        match pieces {
            Pieces::Counted(pieces) => {
                let newer = ties.takes(at, now.counted_at);
                tally.count(newer && pieces != now.pieces);
                if newer {
                    now.adjusted += pieces - now.pieces;
                    (now.pieces, now.counted_at) = (pieces, at);
                }
            }
            Pieces::Moved(pieces) => match moved(*now, pieces) {
                Ok(after) => {
                    *now = after;
                    tally.count(pieces != 0);
                }
                Err(fault) => tally.bury(entry, fault),
            },
        }
    }
    tally
}

/// What comes in is a delivery, what goes out a correction.
fn moved(mut shelf: Stock, pieces: i64) -> Result<Stock, Fault> {
    let after = shelf.pieces.saturating_add(pieces);
    if after < 0 {
        let words = format!("takes {} pieces, and there are {}", pieces.unsigned_abs(), shelf.pieces);
        return Err(Fault::of(Reason::NotEnough, "delta", words));
    }
    if pieces > 0 {
        shelf.delivered = shelf.delivered.saturating_add(pieces);
    } else {
        shelf.adjusted += pieces;
    }
    if after > MOST_PIECES || shelf.delivered > MOST_DELIVERED {
        return Err(Fault::of(Reason::TooMany, "delta", "brings more pieces than a shop can have"));
    }
    shelf.pieces = after;
    Ok(shelf)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rows::Place;
    use super::*;

    fn sku(n: u8) -> Sku {
        Sku::new(&format!("P{n}")).unwrap()
    }

    fn entry<T>(row: u64, data: T) -> Entry<T> {
        Entry { place: Place { row, line: row + 1 }, text: Box::from(*b"as sent"), row: data }
    }

    fn shelf(pieces: i64) -> Moving<Stock> {
        Moving::still(Stock { pieces, counted_at: Timestamp(5), delivered: pieces, adjusted: 0 })
    }

    fn stock_row() -> impl Strategy<Value = StockRow> {
        let pieces =
            prop_oneof![(0_i64..30).prop_map(Pieces::Counted), (-20_i64..20).prop_map(Pieces::Moved)];
        (0_u8..4, pieces, 0_i64..10).prop_map(|(n, pieces, at)| StockRow {
            sku: sku(n),
            pieces,
            at: Timestamp(at),
        })
    }

    proptest! {
        #[test]
        fn a_batch_does_what_its_rows_do_alone(rows in proptest::collection::vec(stock_row(), 0..60), cut in 0_usize..60) {
            let entries: Vec<_> = (1..).zip(&rows).map(|(row, data)| entry(row, *data)).collect();
            let fresh = || (0..3).map(|n| (sku(n), shelf(10))).collect::<BTreeMap<_, _>>();
            let (mut whole, mut parts) = (fresh(), fresh());
            let at_once = stock(&entries, &mut whole, Ties::Win);
            let (head, tail) = entries.split_at(cut.min(entries.len()));
            let (first, second) = (stock(head, &mut parts, Ties::Win), stock(tail, &mut parts, Ties::Win));
            prop_assert_eq!(&whole, &parts);
            prop_assert_eq!(at_once.changed, first.changed + second.changed);
            prop_assert_eq!(at_once.dead.len(), first.dead.len() + second.dead.len());
            prop_assert_eq!(at_once.changed + at_once.unchanged + at_once.dead.len() as u64, rows.len() as u64);
            for shelf in whole.values() {
                let (was, now) = (shelf.was, shelf.now);
                prop_assert!(now.pieces >= 0 && now.counted_at >= was.counted_at);
                prop_assert_eq!(now.pieces - was.pieces, now.delivered - was.delivered + now.adjusted, "the balance holds");
            }
        }

        #[test]
        fn the_newest_price_stands_in_whatever_order_they_come(
            mut prices_at in proptest::collection::btree_map(0_i64..50, 1_i64..500, 1..20), turn in 0_usize..20,
        ) {
            prices_at.retain(|at, _| *at != 5);
            let mut rows: Vec<_> = prices_at.iter().map(|(at, pence)| PriceRow { sku: sku(0), price: Money::gbp(*pence), at: Timestamp(*at) }).collect();
            let turn = turn % rows.len().max(1);
            rows.rotate_left(turn);
            let entries: Vec<_> = (1..).zip(rows).map(|(row, data)| entry(row, data)).collect();
            let mut shelves = BTreeMap::from([(sku(0), Moving::still((Money::gbp(1000), Timestamp(5))))]);
            prices(&entries, &mut shelves, Ties::Win);
            let newest = prices_at.iter().next_back().filter(|(at, _)| **at > 5);
            let expected = newest.map_or((Money::gbp(1000), Timestamp(5)), |(at, pence)| (Money::gbp(*pence), Timestamp(*at)));
            prop_assert_eq!(shelves[&sku(0)].now, expected);
        }
    }

    #[test]
    fn of_two_rows_of_one_time_the_later_wins_and_a_mended_one_does_not() {
        let row = |pence| PriceRow { sku: sku(0), price: Money::gbp(pence), at: Timestamp(7) };
        let mut shelves = BTreeMap::from([(sku(0), Moving::still((Money::gbp(1), Timestamp(5))))]);
        let tally =
            prices(&[entry(1, row(20)), entry(2, row(10)), entry(3, row(10))], &mut shelves, Ties::Win);
        assert_eq!((tally.changed, tally.unchanged), (2, 1));
        assert_eq!(shelves[&sku(0)].now, (Money::gbp(10), Timestamp(7)));
        prices(&[entry(1, row(20))], &mut shelves, Ties::Lose);
        assert_eq!(shelves[&sku(0)].now.0, Money::gbp(10));
    }

    #[test]
    fn a_move_is_refused_with_its_field_and_takes_nothing() {
        let row = |pieces| StockRow { sku: sku(0), pieces: Pieces::Moved(pieces), at: Timestamp(9) };
        let mut shelves = BTreeMap::from([(sku(0), shelf(3))]);
        let rows = [entry(1, row(-5)), entry(2, row(10)), entry(3, row(-12)), entry(4, row(i64::MAX))];
        let tally = stock(&rows, &mut shelves, Ties::Win);
        assert_eq!(shelves[&sku(0)].now.pieces, 1);
        let dead: Vec<_> =
            tally.dead.iter().map(|letter| (letter.place.row, letter.faults[0].reason)).collect();
        assert_eq!(dead, [(1, Reason::NotEnough), (4, Reason::TooMany)]);
        assert_eq!(tally.dead[0].faults[0].words, "takes 5 pieces, and there are 3");
    }
}
