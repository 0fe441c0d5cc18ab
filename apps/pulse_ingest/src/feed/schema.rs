//! The columns of each kind of feed: what may stand where, and which must.
//!
//! **Invariant.** This list is the one place that names columns: headers are read by it, help and documents are written
//! from it.

use std::fmt::Write as _;

use pulse_data::feeds::Kind;

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in a header, or as a field of an object.
    pub name: &'static str,
    /// Whether each row has it.
    pub needed: bool,
    /// What fits.
    pub fits: &'static str,
}

const fn needed(name: &'static str, fits: &'static str) -> Column {
    Column { name, needed: true, fits }
}

const fn optional(name: &'static str, fits: &'static str) -> Column {
    Column { name, needed: false, fits }
}

const SKU: Column = needed("sku", "a product's code: 1 to 23 letters, digits, '-', '_' or '.'");
const CURRENCY: Column = optional("currency", "GBP, EUR or USD; GBP where it is absent");
const AT: &str = "an instant such as 2026-11-28T09:00:00Z; the feed's own time where it is absent";

const CATALOGUE: &[Column] = &[
    SKU,
    optional("name", "1 to 200 characters; a new product needs one"),
    optional("category", "1 to 60 characters"),
    optional("description", "up to 4,000 characters"),
    optional("price", "an amount from 0.01 with at most two decimals; a new product needs one"),
    CURRENCY,
    optional("vat", "standard, reduced or zero"),
    optional("active", "true or false: whether it is for sale"),
    optional("at", AT),
];

const PRICES: &[Column] = &[
    SKU,
    needed("price", "an amount from 0.01 with at most two decimals, such as 12.5"),
    CURRENCY,
    optional("at", AT),
];

const STOCK: &[Column] = &[
    SKU,
    optional("stock", "pieces that are there, from 0; a row has this or delta"),
    optional("delta", "pieces that came, or went where it is below zero"),
    optional("at", AT),
];

const ORDERS: &[Column] = &[
    needed("event", "placed, packed, shipped, delivered, cancelled or returned"),
    optional("order", "the shop's number of the order"),
    optional("reference", "the partner's name of the order, 1 to 100 characters; placed needs one"),
    optional("lines", "what was ordered: CODE*PIECES@PRICE, separated by blanks; placed needs it"),
    optional("country", "where it goes, 1 to 60 characters; placed needs it"),
    optional("email", "where confirmations go"),
    CURRENCY,
    optional("at", AT),
];

/// The columns of a kind, in the order in which they are told.
pub const fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Catalogue => CATALOGUE,
        Kind::Prices => PRICES,
        Kind::Stock => STOCK,
        Kind::Orders => ORDERS,
    }
}

/// The most columns that a kind has.
pub(super) const MOST_COLUMNS: usize = 9;

/// Which of a kind's columns is called so.
pub(super) fn place(kind: Kind, name: &str) -> Option<usize> {
    columns(kind).iter().position(|column| column.name == name)
}

/// Columns whose names begin so are the sender's own, and are not read.
pub(super) const OWN: &str = "x_";

/// Where each field of a CSV row belongs; `None` for what is the sender's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(Vec<Option<usize>>);

impl Layout {
    /// Of a header. What is wrong with it is wrong with the whole file, and told in one sentence.
    pub fn of(kind: Kind, header: &[String]) -> Result<Self, String> {
        let mut slots = Vec::with_capacity(header.len());
        for name in header {
            let slot = place(kind, name);
            if slot.is_none() && !name.starts_with(OWN) {
                return Err(unknown(kind, name));
            }
            if slot.is_some() && slots.contains(&slot) {
                return Err(format!("the header has the column {name} twice"));
            }
            slots.push(slot);
        }
        let missing =
            (0..).zip(columns(kind)).find(|(at, column)| column.needed && !slots.contains(&Some(*at)));
        if let Some((_, column)) = missing {
            let name = kind.name();
            return Err(format!("the header has no column {}, which a feed of {name} needs", column.name));
        }
        Ok(Self(slots))
    }

    pub(super) fn slots(&self) -> &[Option<usize>] {
        &self.0
    }
}

/// What to say to a name that no column has.
pub(super) fn unknown(kind: Kind, name: &str) -> String {
    let shown: String = name.chars().take(60).collect();
    let names: Vec<&str> = columns(kind).iter().map(|column| column.name).collect();
    let near = names.iter().find(|known| {
        name.eq_ignore_ascii_case(known)
            || (name.len() > 2 && (known.starts_with(name) || name.starts_with(**known)))
    });
    match near {
        Some(near) => format!("{shown:?} is no column of a feed of {}: did you mean {near}?", kind.name()),
        None => format!(
            "{shown:?} is no column of a feed of {}: those are {}; what begins with {OWN} is not read",
            kind.name(),
            names.join(", ")
        ),
    }
}

/// The columns of all kinds, for people.
pub fn describe() -> String {
    let mut text = String::new();
    for kind in Kind::ALL {
        let _ = writeln!(text, "{}", kind.name());
        for Column { name, needed, fits } in columns(*kind) {
            let star = if *needed { "*" } else { " " };
            let _ = writeln!(text, "  {name:<12}{star} {fits}");
        }
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str) -> Vec<String> {
        names.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn a_header_names_each_column_once_in_any_order() {
        let layout = Layout::of(Kind::Prices, &header("at,x_buyer,price,sku")).unwrap();
        assert_eq!(layout.slots(), [Some(3), None, Some(1), Some(0)]);
        for (names, wrong) in [
            ("sku", "no column price"),
            ("sku,price,sku", "sku twice"),
            ("sku,price,prise", "\"prise\" is no column"),
            ("sku,Price", "did you mean price?"),
            ("", "\"\" is no column"),
        ] {
            let said = Layout::of(Kind::Prices, &header(names)).unwrap_err();
            assert!(said.contains(wrong), "{names}: {said}");
        }
    }

    #[test]
    fn no_kind_has_more_columns_than_there_is_room_for() {
        assert!(Kind::ALL.iter().all(|kind| columns(*kind).len() <= MOST_COLUMNS));
    }
}
