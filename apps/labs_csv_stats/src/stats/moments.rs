//! Mean and variance in one pass.
//!
//! **Invariant.** What is kept is the mean and the sum of squared *differences from it*, never a sum of squares: with values around
//! 10^9 and a spread of 1, the squares agree in all the digits that a float has, and their difference is noise.
//!
//! Welford, *Note on a method for calculating corrected sums of squares and products* (1962); the merge is by Chan, Golub and
//! `LeVeque` (1979).

/// Count, mean and spread of the numbers so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: u64,
    mean: f64,
    /// Sum of (value - mean)².
    squares: f64,
}

impl Moments {
    /// Takes a number in. Constant time.
    #[inline]
    pub fn add(&mut self, value: f64) {
        //>> moments_add
        //? The new mean is the old one plus a part of the difference. Which of the two differences, to the old mean or to the
        //? new one, belongs into the sum of squares?
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / float(self.count);
        self.squares += before * (value - self.mean);
        //<<
    }

    /// Takes in what another has seen.
    pub fn merge(&mut self, other: &Self) {
        //>> moments_merge
        //? Two halves of equal spread and different means: is the spread of the whole that of its halves?
        let count = self.count + other.count;
        if other.count == 0 {
            return;
        }
        let (ours, theirs, all) = (float(self.count), float(other.count), float(count));
        let apart = other.mean - self.mean;
        self.mean += apart * (theirs / all);
        self.squares += other.squares + apart * apart * (ours * theirs / all);
        self.count = count;
        //<<
    }

    /// How many numbers there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// The sample variance (divided by `count - 1`); `None` of less than two numbers.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / float(self.count - 1))
    }
}

#[inline]
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}
