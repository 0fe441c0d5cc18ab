//! The sum, to the last digit.
//!
//! **Invariant.** The sum of exact numbers is exact, whatever their order: it is kept in billionths of 128 bits. One number that is
//! not exact, or an overflow, and there is no exact sum: `None`, never a wrong one.

use crate::kind::{Decimal, Number};

/// An exact sum, as long as there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum(Option<i128>);

impl Default for Sum {
    fn default() -> Self {
        Self(Some(0))
    }
}

impl Sum {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, number: Number) {
        //>> sum_add
        //? Nine decimals and 64 bits: how many such numbers fit into 128 bits? What is the answer when one more does not fit?
        let more = number.exact();
        self.0 = self.0.zip(more).and_then(|(sum, Decimal(more))| sum.checked_add(more));
        //<<
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.0 = self.0.zip(other.0).and_then(|(sum, more)| sum.checked_add(more));
    }

    /// The sum, if it is known exactly.
    pub fn get(self) -> Option<Decimal> {
        self.0.map(Decimal)
    }
}
