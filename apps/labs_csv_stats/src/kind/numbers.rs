//! Numbers as they are written.
//!
//! **Invariant.** An [`Number::Exact`] number, written back with its scale, is the text it was read from. What can't be kept
//! exactly is a float only if it was written like one; otherwise it is no number at all.

use std::fmt;

use super::Kind;

/// Decimals that an exact number may have.
const MOST_DECIMALS: usize = 9;

/// `10^0` to `10^9`.
const POWERS: [i64; MOST_DECIMALS + 1] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// One number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// `mantissa / 10^scale`, with a scale of 0 to 9.
    Exact {
        /// All digits as one whole number.
        mantissa: i64,
        /// How many of them stand behind the point.
        scale: u8,
    },
    /// The nearest binary fraction; finite.
    Float(f64),
}

impl Number {
    /// The nearest float.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
    pub fn value(self) -> f64 {
        match self {
            Self::Exact { mantissa, scale } => mantissa as f64 / POWERS[usize::from(scale)] as f64,
            Self::Float(value) => value,
        }
    }

    /// How many decimals it is written with; `None` for a float.
    #[inline]
    pub fn decimals(self) -> Option<u8> {
        match self {
            Self::Exact { scale, .. } => Some(scale),
            Self::Float(_) => None,
        }
    }

    /// The exact number in billionths, whatever its scale; `None` for a float.
    #[inline]
    pub fn exact(self) -> Option<Decimal> {
        match self {
            Self::Exact { mantissa, scale } => {
                let unit = POWERS[MOST_DECIMALS - usize::from(scale)];
                Some(Decimal(i128::from(mantissa) * i128::from(unit)))
            }
            Self::Float(_) => None,
        }
    }
}

/// An exact number in billionths. 128 bits hold the sum of 10^10 of the largest numbers that a field can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Decimal(pub i128);

impl Decimal {
    /// The nearest float.
    #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
    pub fn value(self) -> f64 {
        self.0 as f64 / POWERS[MOST_DECIMALS] as f64
    }
}

/// As few decimals as are needed: `6.14`, `-3`.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = u128::from(POWERS[MOST_DECIMALS].unsigned_abs());
        let (whole, rest) = (self.0.unsigned_abs() / unit, self.0.unsigned_abs() % unit);
        let decimals = format!("{rest:09}");
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        f.pad_integral(self.0 >= 0, "", &format!("{whole}{point}{decimals}"))
    }
}

/// The number that `text` is, and its kind.
#[inline]
pub(super) fn number(text: &[u8]) -> Option<(Kind, Number)> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, rest) = unsigned.split_at(digits(unsigned));
    let leading_zero = whole.len() > 1 && whole[0] == b'0';
    match rest {
        [] => {
            if whole.is_empty() || leading_zero {
                return None;
            }
            match (negative, fold(0, whole)?) {
                (true, 0) => float(text),
                (_, digits) => {
                    let mantissa = signed(negative, digits)?;
                    Some((Kind::Integer, Number::Exact { mantissa, scale: 0 }))
                }
            }
        }
        [b'.', decimals @ ..] if !whole.is_empty() && !leading_zero => {
            exact(negative, whole, decimals).or_else(|| float(text))
        }
        [b'.' | b'e' | b'E', ..] if !leading_zero => float(text),
        _ => None,
    }
}

/// `whole.decimals`, if all of it can be kept.
fn exact(negative: bool, whole: &[u8], decimals: &[u8]) -> Option<(Kind, Number)> {
    let all_digits = !decimals.is_empty() && digits(decimals) == decimals.len();
    if !all_digits || decimals.len() > MOST_DECIMALS {
        return None;
    }
    let mantissa = signed(negative, fold(fold(0, whole)?, decimals)?)?;
    let scale = u8::try_from(decimals.len()).ok()?;
    Some((Kind::Decimal, Number::Exact { mantissa, scale }))
}

/// The sign, put back; `None` for what 64 bits can't hold, and for a negative zero: a float has one, a whole number has not.
fn signed(negative: bool, below_zero: i64) -> Option<i64> {
    match (negative, below_zero) {
        (true, 0) => None,
        (true, mantissa) => Some(mantissa),
        (false, mantissa) => mantissa.checked_neg(),
    }
}

/// How many digits `text` begins with.
#[inline]
fn digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

/// Appends digits to a number that is kept **below zero**, for there is one more number below than above.
#[inline]
fn fold(below_zero: i64, digits: &[u8]) -> Option<i64> {
    if digits.len() <= 9 && below_zero > -1_000_000_000 {
        // Nine digits behind nine digits can't overflow: no checks in the common case.
        return Some(digits.iter().fold(below_zero, |sum, digit| sum * 10 - i64::from(digit - b'0')));
    }
    digits.iter().try_fold(below_zero, |sum, digit| sum.checked_mul(10)?.checked_sub(i64::from(digit - b'0')))
}

/// A finite float in digits, point and exponent; the words for infinity and for no number are text.
fn float(text: &[u8]) -> Option<(Kind, Number)> {
    if text.iter().any(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some((Kind::Float, Number::Float(value)))
}
