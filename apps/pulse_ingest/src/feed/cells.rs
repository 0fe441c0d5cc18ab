//! Single cells: codes, amounts, pieces, instants, words.
//!
//! **Invariant.** A cell is read whole and exactly, or is refused in words that say what would fit: no rounding, no
//! wrapping, no guessing.

use pulse_core::order::Step;
use pulse_core::pricing::VatRate;
use pulse_core::{Currency, Money, OrderId, Sku, Timestamp};

use crate::retail::{pounds, whole};

/// What a cell holds, or what is wrong with it.
pub(super) type Cell<T> = Result<T, String>;

/// The highest price, in pence: a thousand million pounds, as the schema says.
const DEAREST: i64 = 100_000_000_000;
/// Pieces of one product at most, as the schema says.
const MOST_PIECES: i64 = 1_000_000_000_000;

fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}

pub(super) fn sku(text: &str) -> Cell<Sku> {
    let wrong = |_| format!("{} is no product code: 1 to 23 letters, digits, '-', '_' or '.'", shown(text));
    Sku::new(text).map_err(wrong)
}

/// Pence of an amount above zero.
pub(super) fn pence(text: &str) -> Cell<i64> {
    let Some(amount) = pounds(text) else {
        return Err(format!("{} is no amount such as 12.50", shown(text)));
    };
    match (amount.positive, amount.finer, amount.pence) {
        (false, _, 0) => Err("is zero".to_owned()),
        (false, ..) => Err(format!("{} is below zero", shown(text))),
        (_, true, _) => Err(format!("{} has parts of a penny", shown(text))),
        (.., pence) if pence > DEAREST => Err(format!("{} is more than 1000000000.00", shown(text))),
        (.., pence) => Ok(pence),
    }
}

pub(super) fn currency(text: &str) -> Cell<Currency> {
    Currency::from_code(text).ok_or_else(|| format!("{} is none of GBP, EUR, USD", shown(text)))
}

pub(super) const fn money(pence: i64, currency: Currency) -> Money {
    Money { pence, currency }
}

/// Pieces that are there.
pub(super) fn counted(text: &str) -> Cell<i64> {
    match whole(text) {
        Some(pieces) if pieces < 0 => Err(format!("{} is below zero", shown(text))),
        Some(pieces) if pieces <= MOST_PIECES => Ok(pieces),
        _ => Err(format!("{} is no whole number from 0 to {MOST_PIECES}", shown(text))),
    }
}

/// Pieces that came or went.
pub(super) fn moved(text: &str) -> Cell<i64> {
    // A plus is what people write before what came.
    let digits = text.strip_prefix('+').filter(|rest| !rest.starts_with('-')).unwrap_or(text);
    whole(digits)
        .filter(|pieces| (-MOST_PIECES..=MOST_PIECES).contains(pieces))
        .ok_or_else(|| format!("{} is no whole number from -{MOST_PIECES} to {MOST_PIECES}", shown(text)))
}

/// An instant that is not later than `latest`: a price of next year would keep out all others.
pub(super) fn at(text: &str, latest: Timestamp) -> Cell<Timestamp> {
    let wrong = |_| format!("{} is no instant such as 2026-11-28T09:00:00Z", shown(text));
    let at: Timestamp = text.parse().map_err(wrong)?;
    match at {
        at if at > latest => Err(format!("{text} lies in the future")),
        at if at.0 < 0 => Err(format!("{text} lies before 1970")),
        at => Ok(at),
    }
}

/// A text of so many characters.
pub(super) fn words(text: &str, most: usize) -> Cell<String> {
    let length = text.chars().count();
    if length > most {
        return Err(format!("has {length} characters, and at most {most} fit"));
    }
    Ok(text.to_owned())
}

pub(super) fn vat(text: &str) -> Cell<VatRate> {
    match text {
        "standard" => Ok(VatRate::Standard),
        "reduced" => Ok(VatRate::Reduced),
        "zero" => Ok(VatRate::Zero),
        _ => Err(format!("{} is none of standard, reduced, zero", shown(text))),
    }
}

pub(super) fn flag(text: &str) -> Cell<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{} is neither true nor false", shown(text))),
    }
}

pub(super) fn order(text: &str) -> Cell<OrderId> {
    let number = whole(text).filter(|number| *number > 0);
    number.map(OrderId).ok_or_else(|| format!("{} is no order's number", shown(text)))
}

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It was placed with a partner.
    Placed,
    /// It took a step of its life.
    Step(Step),
}

pub(super) fn happened(text: &str) -> Cell<Happened> {
    Ok(match text {
        "placed" => Happened::Placed,
        "packed" => Happened::Step(Step::Pack),
        "shipped" => Happened::Step(Step::Ship),
        "delivered" => Happened::Step(Step::Deliver),
        "cancelled" => Happened::Step(Step::Cancel),
        "returned" => Happened::Step(Step::Return),
        _ => {
            return Err(format!(
                "{} is none of placed, packed, shipped, delivered, cancelled, returned",
                shown(text)
            ));
        }
    })
}

pub(super) fn email(text: &str) -> Cell<String> {
    let fits = text.chars().count() <= 254 && text.contains('@');
    if fits { Ok(text.to_owned()) } else { Err(format!("{} is no address", shown(text))) }
}

/// Lines of an order at most: a cart remembers so many commands, so each of them is done once.
pub(super) const MOST_LINES: usize = 30;

/// `CODE*PIECES@PRICE`, separated by blanks.
pub(super) fn lines(text: &str) -> Cell<Vec<(Sku, i64, i64)>> {
    let mut lines = Vec::new();
    for line in text.split_whitespace() {
        let parts = line.split_once('*').and_then(|(code, rest)| Some((code, rest.split_once('@')?)));
        let Some((code, (pieces, price))) = parts else {
            return Err(format!("{} is no line such as 85123A*2@12.50", shown(line)));
        };
        let pieces = whole(pieces).filter(|pieces| (1..=1_000_000_000).contains(pieces));
        let pieces =
            pieces.ok_or_else(|| format!("{} sells no whole number of pieces from 1", shown(line)))?;
        lines.push((sku(code)?, pieces, pence(price)?));
    }
    match lines.len() {
        0 => Err("is empty".to_owned()),
        n if n > MOST_LINES => Err(format!("has {n} lines, and at most {MOST_LINES} fit")),
        _ => Ok(lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_above_zero() {
        assert_eq!(pence("12.5"), Ok(1250));
        assert_eq!(pence("0.010"), Ok(1));
        assert_eq!(pence("1000000000.00"), Ok(DEAREST));
        for (text, wrong) in [
            ("0.00", "is zero"),
            ("-1", "below zero"),
            ("0.001", "parts of a penny"),
            ("1000000000.01", "more than"),
            ("99999999999999999999", "no amount"),
            ("1,50", "no amount"),
            ("1e3", "no amount"),
            ("£1", "no amount"),
        ] {
            assert!(pence(text).unwrap_err().contains(wrong), "{text}");
        }
    }

    #[test]
    fn pieces_are_whole_and_bounded() {
        assert_eq!((counted("0"), counted("7"), moved("+7"), moved("-7")), (Ok(0), Ok(7), Ok(7), Ok(-7)));
        for text in ["-1", "1.0", "", "9223372036854775808", "1000000000001", "seven", "+1"] {
            assert!(counted(text).is_err(), "{text}");
        }
        for text in ["+-7", "--7", "", "9223372036854775808", "-1000000000001"] {
            assert!(moved(text).is_err(), "{text}");
        }
    }

    #[test]
    fn instants_are_not_of_the_future() {
        let latest = Timestamp(1_000_000);
        assert_eq!(at("1970-01-01T00:00:01Z", latest), Ok(Timestamp(1000)));
        assert!(at("1970-01-01T01:00:00Z", latest).unwrap_err().contains("future"));
        assert!(at("1969-12-31T23:59:59Z", latest).unwrap_err().contains("before"));
        assert!(at("yesterday", latest).is_err());
    }

    #[test]
    fn lines_of_an_order_name_code_pieces_and_price() {
        let found = lines(" 85123a*2@12.50  71053*1@0.99").unwrap();
        assert_eq!(found, [(Sku::new("85123A").unwrap(), 2, 1250), (Sku::new("71053").unwrap(), 1, 99)]);
        for text in ["", "85123A", "85123A*2", "85123A*0@1", "85123A*2@0", "85123A*x@1", "*1@1"] {
            assert!(lines(text).is_err(), "{text}");
        }
        assert!(lines(&"A*1@1 ".repeat(31)).unwrap_err().contains("31 lines"));
    }
}
