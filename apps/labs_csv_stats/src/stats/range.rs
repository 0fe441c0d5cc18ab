//! The least and the greatest number, to the last digit.
//!
//! **Invariant.** Exact numbers are compared exactly: 9007199254740993 and 9007199254740992 are one float, but two numbers.

use crate::kind::{Decimal, Number};

/// Least and greatest, exact numbers and floats apart.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Range {
    exact: Option<(Decimal, Decimal)>,
    floats: Option<(f64, f64)>,
    /// The most decimals of the exact ones.
    decimals: u8,
}

impl Range {
    /// Takes a number in.
    #[inline]
    pub fn add(&mut self, number: Number) {
        match number.exact() {
            Some(exact) => self.exact = widest(self.exact, Some((exact, exact))),
            None => self.floats = widest(self.floats, Some((number.value(), number.value()))),
        }
        self.decimals = self.decimals.max(number.decimals().unwrap_or_default());
    }

    /// Takes another range in.
    pub fn merge(&mut self, other: &Self) {
        self.exact = widest(self.exact, other.exact);
        self.floats = widest(self.floats, other.floats);
        self.decimals = self.decimals.max(other.decimals);
    }

    /// What is near to a value and could be one of the numbers: not outside of the range, and with no more decimals than they have.
    pub fn plausible(&self, value: f64) -> f64 {
        let Some((least, greatest)) = self.values() else { return value };
        let unit = 10_f64.powi(i32::from(self.decimals));
        let near = if self.floats.is_none() { (value * unit).round() / unit } else { value };
        near.clamp(least, greatest)
    }

    /// Least and greatest as floats.
    pub fn values(&self) -> Option<(f64, f64)> {
        widest(self.exact.map(|(least, greatest)| (least.value(), greatest.value())), self.floats)
    }

    /// Least and greatest of the exact numbers; `None` if there were floats too.
    pub fn exact(&self) -> Option<(Decimal, Decimal)> {
        if self.floats.is_none() { self.exact } else { None }
    }
}

/// The range that holds both.
#[inline]
fn widest<T: PartialOrd + Copy>(one: Option<(T, T)>, other: Option<(T, T)>) -> Option<(T, T)> {
    let (Some((low, high)), Some((least, greatest))) = (one, other) else { return one.or(other) };
    Some((if least < low { least } else { low }, if greatest > high { greatest } else { high }))
}
