//! The rules of the data set, then what this shop can keep.
//!
//! **Invariant.** Both passes over a file sift alike, so what is delivered is what will be sold. Whatever comes through
//! can be stored, and hundreds of thousands of such lines in one invoice still add up within 64 bits.

use crate::retail::{Line, Reason, Record, Row, classify};

/// A thousand million pieces.
const MAX_PIECES: i64 = 1_000_000_000;
/// A thousand million pounds.
const MAX_PENCE: i64 = 100_000_000_000;
/// A hundred thousand million pounds a line.
const MAX_AMOUNT: i64 = 10_000_000_000_000;
/// Bytes of an invoice number.
const MAX_INVOICE: usize = 100;

/// The verdict of the rules, or `refused` for a fine row of absurd size.
pub(super) fn sift<'r>(record: &Record<'r>) -> Row<'r> {
    match classify(record) {
        Row::Sale(line) | Row::Return(line) if !fits(&line) => Row::Dead(Reason::Refused),
        row => row,
    }
}

fn fits(line: &Line<'_>) -> bool {
    line.invoice.len() <= MAX_INVOICE
        && line.quantity.get() <= MAX_PIECES
        && line.price.pence <= MAX_PENCE
        && line.price.times(line.quantity).is_ok_and(|amount| amount.pence <= MAX_AMOUNT)
}

/// The country as an order can keep it: the data set's own word for none, and no more than 60 characters.
pub(super) fn country(text: &str) -> &str {
    if text.is_empty() { "Unspecified" } else { cut(text, 60) }
}

/// A description as a product's name: at most 200 characters.
pub(super) fn name(text: &str) -> &str {
    cut(text, 200)
}

fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| text[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retail::Records;

    fn taken(row: &str) -> bool {
        let mut records = Records::new(row.as_bytes());
        let record = records.next().unwrap().unwrap();
        !matches!(sift(&record), Row::Dead(Reason::Refused))
    }

    #[test]
    fn rows_of_absurd_size_are_refused() {
        assert!(taken("1,85123A,THING,1000000000,2010-12-01 08:26:00,2.55,17850.0,UK"));
        assert!(!taken("1,85123A,THING,1000000001,2010-12-01 08:26:00,2.55,17850.0,UK"));
        assert!(!taken("1,85123A,THING,1,2010-12-01 08:26:00,1000000000.01,17850.0,UK"));
        assert!(!taken("C1,85123A,THING,-1000000000,2010-12-01 08:26:00,1000.00,17850.0,UK"));
        assert!(!taken(&format!("{},85123A,THING,1,2010-12-01 08:26:00,2.55,,UK", "1".repeat(101))));
    }

    #[test]
    fn texts_are_made_to_fit() {
        assert_eq!((country(""), country("EIRE")), ("Unspecified", "EIRE"));
        assert_eq!(country(&"é".repeat(61)).chars().count(), 60);
        assert_eq!(name(&"é".repeat(201)).chars().count(), 200);
    }
}
