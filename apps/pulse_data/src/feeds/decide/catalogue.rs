//! What rows of a catalogue do to the products that the shop has.
//!
//! **Invariant.** A field that a row does not have stays as it is; a product that is new has a name and a price.

use std::collections::BTreeMap;

use pulse_core::pricing::VatRate;
use pulse_core::{Money, Sku, Timestamp};

use super::{Tally, Ties};
use crate::feeds::rows::{CatalogueRow, Entry, Fault, Reason};

/// A product as a feed can change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::feeds) struct Item {
    pub(in crate::feeds) name: String,
    pub(in crate::feeds) category: Option<String>,
    pub(in crate::feeds) description: String,
    pub(in crate::feeds) price: Money,
    pub(in crate::feeds) priced_at: Timestamp,
    pub(in crate::feeds) vat: VatRate,
    pub(in crate::feeds) active: bool,
}

/// A product that rows change: as it was, if it was, and as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::feeds) struct Shelf {
    pub(in crate::feeds) was: Option<Item>,
    pub(in crate::feeds) now: Item,
}

impl Shelf {
    pub(in crate::feeds) fn known(item: Item) -> Self {
        Self { was: Some(item.clone()), now: item }
    }

    pub(in crate::feeds) fn moved(&self) -> bool {
        self.was.as_ref() != Some(&self.now)
    }
}

/// Products, in the order of their rows.
pub(in crate::feeds) fn catalogue(
    rows: &[Entry<CatalogueRow>],
    shelves: &mut BTreeMap<Sku, Shelf>,
    ties: Ties,
) -> Tally {
    let mut tally = Tally::default();
    for entry in rows {
        let row = &entry.row;
        if let Some(shelf) = shelves.get_mut(&row.sku) {
            let before = shelf.now.clone();
            change(&mut shelf.now, row, ties);
            // That a price is confirmed at a later time is kept, and is no change.
            tally.count(Item { priced_at: before.priced_at, ..shelf.now.clone() } != before);
            continue;
        }
        match create(row) {
            Ok(item) => {
                shelves.insert(row.sku, Shelf { was: None, now: item });
                tally.count(true);
            }
            Err(fault) => tally.bury(entry, fault),
        }
    }
    tally
}

fn change(item: &mut Item, row: &CatalogueRow, ties: Ties) {
    if let Some(name) = &row.name {
        item.name.clone_from(name);
    }
    if row.category.is_some() {
        item.category.clone_from(&row.category);
    }
    if let Some(description) = &row.description {
        item.description.clone_from(description);
    }
    if let Some(price) = row.price.filter(|_| ties.takes(row.at, item.priced_at)) {
        (item.price, item.priced_at) = (price, row.at);
    }
    item.vat = row.vat.unwrap_or(item.vat);
    item.active = row.active.unwrap_or(item.active);
}

fn create(row: &CatalogueRow) -> Result<Item, Fault> {
    let needed =
        |field| Fault::of(Reason::Missing, field, "is needed of a product that the catalogue does not have");
    Ok(Item {
        name: row.name.clone().ok_or_else(|| needed("name"))?,
        category: row.category.clone(),
        description: row.description.clone().unwrap_or_default(),
        price: row.price.ok_or_else(|| needed("price"))?,
        priced_at: row.at,
        vat: row.vat.unwrap_or(VatRate::Standard),
        active: row.active.unwrap_or(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::rows::Place;

    fn row(name: Option<&str>, pence: Option<i64>, at: i64) -> Entry<CatalogueRow> {
        let row = CatalogueRow {
            sku: Sku::new("P1").unwrap(),
            name: name.map(str::to_owned),
            category: None,
            description: None,
            price: pence.map(Money::gbp),
            vat: None,
            active: None,
            at: Timestamp(at),
        };
        Entry { place: Place { row: 1, line: 2 }, text: Box::default(), row }
    }

    #[test]
    fn a_new_product_needs_name_and_price_and_a_known_one_keeps_what_is_absent() {
        let mut shelves = BTreeMap::new();
        let mut feed = |rows: &[Entry<CatalogueRow>]| catalogue(rows, &mut shelves, Ties::Win);
        let refused = feed(&[row(None, Some(5), 1), row(Some("Lamp"), None, 1)]);
        let fields: Vec<_> = refused.dead.iter().map(|letter| letter.faults[0].field.as_ref()).collect();
        assert_eq!(fields, ["name", "price"]);
        let taken =
            feed(&[row(Some("Lamp"), Some(5), 3), row(None, Some(4), 2), row(Some("Light"), None, 9)]);
        assert_eq!((taken.changed, taken.unchanged), (2, 1), "an older price changes nothing");
        let item = &shelves.values().next().unwrap().now;
        assert_eq!((item.name.as_str(), item.price, item.priced_at), ("Light", Money::gbp(5), Timestamp(3)));
    }
}
