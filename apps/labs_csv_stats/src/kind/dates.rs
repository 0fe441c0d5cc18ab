//! Days and times as ISO 8601 writes them.
//!
//! **Invariant.** A date is a day that exists. Dates of one column sort as texts in the order of time.

use super::Kind;

/// The kind of a text that is a day, or a day and a time.
pub(super) fn date_or_time(text: &[u8]) -> Option<Kind> {
    let (day, rest) = text.split_at_checked(10)?;
    if !is_day(day) {
        return None;
    }
    match rest {
        [] => Some(Kind::Date),
        [b' ' | b'T', time @ ..] if is_time(time) => Some(Kind::DateTime),
        _ => None,
    }
}

fn is_day(text: &[u8]) -> bool {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else { return false };
    let (Some(century), Some(year), Some(month), Some(day)) =
        (pair(y0, y1), pair(y2, y3), pair(m0, m1), pair(d0, d1))
    else {
        return false;
    };
    let leap = if year == 0 { century % 4 == 0 } else { year % 4 == 0 };
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=longest).contains(&day)
}

/// `hh:mm:ss`, then perhaps a fraction, then perhaps `Z`.
fn is_time(text: &[u8]) -> bool {
    let text = text.strip_suffix(b"Z").unwrap_or(text);
    let &[h0, h1, b':', m0, m1, b':', s0, s1, ref fraction @ ..] = text else { return false };
    let below = |number: Option<u8>, limit| number.is_some_and(|number| number < limit);
    let fraction_fits = match fraction {
        [] => true,
        [b'.', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    below(pair(h0, h1), 24) && below(pair(m0, m1), 60) && below(pair(s0, s1), 60) && fraction_fits
}

/// Two digits as a number.
fn pair(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}
