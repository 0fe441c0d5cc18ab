//! Single fields: whole numbers, prices, dates, customers, stock codes.
//!
//! **Invariant.** A field is read whole and exactly, or not at all: no rounding, no wrapping, no guessing, no blanks
//! trimmed inside numbers and dates.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use pulse_core::{Sku, Timestamp};

/// `-?\d+` in ASCII digits that fits 64 bits.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // `parse` alone would also take a `+`.
    (is_digits(digits)).then(|| text.parse().ok()).flatten()
}

/// A price in pounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pounds {
    /// The whole pence; what is beyond them is cut off.
    pub(crate) pence: i64,
    /// Whether anything but zeros was cut off.
    pub(crate) finer: bool,
    /// Above zero, be it less than a penny.
    pub(crate) positive: bool,
}

/// `-?\d+(\.\d+)?`; `None` also where the pence do not fit 64 bits. Trailing zeros are no precision.
pub(crate) fn pounds(text: &str) -> Option<Pounds> {
    let (negative, amount) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (units, decimals) = match amount.split_once('.') {
        Some((units, decimals)) if is_digits(decimals) => (units, decimals.trim_end_matches('0')),
        Some(_) => return None,
        None => (amount, ""),
    };
    if !is_digits(units) {
        return None;
    }
    let digit = |at: usize| decimals.as_bytes().get(at).map_or(0, |digit| i64::from(digit - b'0'));
    let pence = units.parse::<i64>().ok()?.checked_mul(100)?.checked_add(digit(0) * 10 + digit(1))?;
    let finer = decimals.len() > 2;
    Some(Pounds {
        pence: if negative { -pence } else { pence },
        finer,
        positive: !negative && (pence > 0 || finer),
    })
}

/// `YYYY-MM-DD hh:mm:ss`, a real day and time, read as UTC.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let marks = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if marks.iter().any(|&(at, mark)| bytes[at] != mark) {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0_i16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
    };
    let small = |from: usize| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
    let day = Date::new(number(0, 4)?, small(5)?, small(8)?).ok()?;
    let time = Time::new(small(11)?, small(14)?, small(17)?, 0).ok()?;
    let at = Offset::UTC.to_timestamp(DateTime::from_parts(day, time)).ok()?;
    Some(Timestamp(at.as_millisecond()))
}

/// Nobody (a guest), or a number that may carry `.0`: the outer `None` is a field that can't be read.
#[expect(clippy::option_option, reason = "unreadable and absent are two things here")]
pub(super) fn customer(text: &str) -> Option<Option<i64>> {
    if text.is_empty() {
        return Some(None);
    }
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    is_digits(digits).then(|| digits.parse().ok()).flatten().map(Some)
}

/// Goods have five digits and at most two letters after them.
pub(super) fn goods(text: &str) -> Option<Sku> {
    let (digits, letters) = text.trim().as_bytes().split_at_checked(5)?;
    let fits = digits.iter().all(u8::is_ascii_digit)
        && letters.len() <= 2
        && letters.iter().all(u8::is_ascii_alphabetic);
    fits.then(|| Sku::new(text).ok()).flatten()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_digits_with_at_most_a_minus() {
        assert_eq!(whole("-007"), Some(-7));
        assert_eq!(whole("9223372036854775807"), Some(i64::MAX));
        for unreadable in
            ["", "-", "+1", "1.0", " 1", "1 ", "--1", "٣", "9223372036854775808", "1e3", "1_000"]
        {
            assert_eq!(whole(unreadable), None, "{unreadable:?}");
        }
    }

    #[test]
    fn prices_are_exact() {
        let read = |text| pounds(text).map(|p| (p.pence, p.finer, p.positive));
        assert_eq!(read("2.55"), Some((255, false, true)));
        assert_eq!(read("2.5"), Some((250, false, true)));
        assert_eq!(read("2"), Some((200, false, true)));
        assert_eq!(read("2.5500000000000000000000000"), Some((255, false, true)));
        assert_eq!(read("0.001"), Some((0, true, true)));
        assert_eq!(read("-0.001"), Some((0, true, false)));
        assert_eq!(read("-11062.06"), Some((-1_106_206, false, false)));
        assert_eq!(read("0.00"), Some((0, false, false)));
        assert_eq!(read("92233720368547758.07"), Some((i64::MAX, false, true)));
        for unreadable in
            ["", ".", "1.", ".5", "1.5.5", "1e2", "1,5", "+1", " 1", "92233720368547758.08", "nan", "£1"]
        {
            assert_eq!(read(unreadable), None, "{unreadable:?}");
        }
    }

    #[test]
    fn dates_are_real_days_written_in_full() {
        let read = |text| date(text).map(|at| at.to_string());
        assert_eq!(read("2010-12-01 08:26:00").as_deref(), Some("2010-12-01T08:26:00Z"));
        assert_eq!(read("2012-02-29 23:59:59").as_deref(), Some("2012-02-29T23:59:59Z"));
        for unreadable in [
            "2011-02-29 00:00:00",
            "2011-13-01 00:00:00",
            "2011-01-01 24:00:00",
            "2011-01-01 00:00:60",
            "2011-01-01T00:00:00",
            "2011-01-01 00:00",
            "2011-1-1 00:00:00",
            "2011-01-01 00:00:00 ",
            "+011-01-01 00:00:00",
            "",
        ] {
            assert_eq!(read(unreadable), None, "{unreadable:?}");
        }
    }

    #[test]
    fn customers_are_numbers_or_nobody() {
        assert_eq!(customer(""), Some(None));
        assert_eq!(customer("17850"), Some(Some(17850)));
        assert_eq!(customer("17850.0"), Some(Some(17850)));
        assert_eq!(customer("17850.00"), Some(Some(17850)));
        for unreadable in ["17850.", "17850.5", "-1", " ", "x", ".0", "99999999999999999999"] {
            assert_eq!(customer(unreadable), None, "{unreadable:?}");
        }
    }

    #[test]
    fn goods_have_five_digits_and_two_letters_at_most() {
        let read = |text| goods(text).map(|sku| sku.to_string());
        assert_eq!(read("85123a").as_deref(), Some("85123A"));
        assert_eq!(read(" 85123 ").as_deref(), Some("85123"));
        assert_eq!(read("15056BL").as_deref(), Some("15056BL"));
        for other in
            ["POST", "8512", "851234", "85123ABC", "85123A1", "85123é", "85123-", "", "DCGS0003", "85 23"]
        {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
