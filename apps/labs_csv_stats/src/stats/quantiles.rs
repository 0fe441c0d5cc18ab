//! Quantiles with an error that the answer states itself.
//!
//! **Invariant.** [`Quantiles::get`] is within [`Quantiles::error`], relative to the true value. The state depends on which values were
//! seen, not on their order, nor on how they were split: two sketches of the same values are equal.
//!
//! The bits of a positive float are its exponent and then its mantissa, so the *leading bits of a float are its logarithm*: values that
//! agree in exponent and the first seven bits of the mantissa differ by less than 1 part in 128. Such values share a counter. Dropping
//! one more bit joins two neighbours, and doubles the error; it is done when the counters span more than [`SPAN`], so that memory is
//! constant. The idea of one uniform collapse is from `UDDSketch` (Epicoco and others, 2020), the guarantee from `DDSketch` (Masson and
//! others, 2019); reading the logarithm off the bits is `HdrHistogram`'s.

/// Counters that a sketch may span on either side of zero: 32 powers of two at the finest.
const SPAN: usize = 4096;

/// Bits of the mantissa that the finest counters keep.
const FINEST: u32 = 7;

/// Counts of values by their leading bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quantiles {
    /// How many of the [`FINEST`] bits have been dropped, on both sides.
    dropped: u32,
    below: Window,
    zeros: u64,
    above: Window,
}

impl Quantiles {
    /// Takes in a finite value. Constant time but for the few times that the window grows.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if value == 0.0 {
            self.zeros += 1;
            return;
        }
        let key = key(value.abs()) >> self.dropped;
        let side = if value < 0.0 { &mut self.below } else { &mut self.above };
        if !side.add(key, 1) {
            self.make_room(key, value < 0.0);
            self.add(value);
        }
    }

    /// Takes in what another has seen.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        loop {
            let dropped = self.dropped.max(other.dropped);
            self.drop_to(dropped);
            other.drop_to(dropped);
            if self.below.span_with(&other.below) <= SPAN && self.above.span_with(&other.above) <= SPAN {
                break;
            }
            self.drop_to(dropped + 1);
        }
        self.below.merge(&other.below);
        self.zeros += other.zeros;
        self.above.merge(&other.above);
    }

    /// The value of which a part `q` (0 to 1) of all values is not above it; `None` of nothing.
    pub fn get(&self, q: f64) -> Option<f64> {
        let wanted = rank(q, self.count())?;
        let mut seen = 0;
        for (key, count) in self.below.counts().rev() {
            seen += count;
            if seen >= wanted {
                return Some(-self.middle(key));
            }
        }
        seen += self.zeros;
        if seen >= wanted {
            return Some(0.0);
        }
        for (key, count) in self.above.counts() {
            seen += count;
            if seen >= wanted {
                return Some(self.middle(key));
            }
        }
        None
    }

    /// How far an answer may be from the true value, as a part of it: 1/256 at the finest.
    ///
    /// It does not hold for values nearer to zero than 2^-1022.
    pub fn error(&self) -> f64 {
        0.5 / f64::from(1_u32 << FINEST) * f64::from(1_u32 << self.dropped.min(FINEST + 1))
    }

    /// How many values were taken in.
    pub fn count(&self) -> u64 {
        self.below.total() + self.zeros + self.above.total()
    }

    /// Drops bits until `key` fits.
    fn make_room(&mut self, key: u64, below: bool) {
        let fits = |sketch: &Self, key| {
            let side = if below { &sketch.below } else { &sketch.above };
            side.span(key) <= SPAN
        };
        let mut more = 0;
        while !fits(self, key >> more) {
            self.drop_to(self.dropped + 1);
            more += 1;
        }
        let side = if below { &mut self.below } else { &mut self.above };
        side.open(key >> more);
    }

    /// Joins neighbours until `dropped` bits are gone.
    fn drop_to(&mut self, dropped: u32) {
        while self.dropped < dropped {
            self.below.halve();
            self.above.halve();
            self.dropped += 1;
        }
    }

    /// The value in the middle of a counter.
    fn middle(&self, key: u64) -> f64 {
        let shift = 52 - FINEST + self.dropped;
        let (low, high) = (f64::from_bits(key << shift), f64::from_bits((key + 1) << shift));
        // The last counter ends at infinity.
        if high.is_finite() { low + (high - low) / 2.0 } else { low }
    }
}

/// Exponent and leading bits of the mantissa of a value above zero.
#[inline]
fn key(value: f64) -> u64 {
    value.to_bits() >> (52 - FINEST)
}

/// The place, from 1, of the value at `q` among `count` values in order; `None` among none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place between 1 and count"
)]
fn rank(q: f64, count: u64) -> Option<u64> {
    (count > 0).then(|| ((q.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count))
}

/// Counters of neighbouring keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Window {
    /// The key of the first counter; 0 while there is none.
    first: u64,
    counters: Vec<u64>,
}

impl Window {
    /// Counts, if the key is in the window.
    #[inline]
    fn add(&mut self, key: u64, count: u64) -> bool {
        let place = usize::try_from(key.wrapping_sub(self.first)).unwrap_or(usize::MAX);
        let counter = self.counters.get_mut(place);
        let known = counter.is_some();
        if let Some(counter) = counter {
            *counter += count;
        }
        known
    }

    /// How many counters it would have with `key`.
    fn span(&self, key: u64) -> usize {
        if self.counters.is_empty() {
            return 1;
        }
        let last = self.first + self.counters.len() as u64 - 1;
        usize::try_from(self.first.max(key).max(last) - self.first.min(key)).unwrap_or(usize::MAX - 1) + 1
    }

    /// How many counters it would have with those of `other`.
    fn span_with(&self, other: &Self) -> usize {
        let Some(more) = (other.counters.len() as u64).checked_sub(1) else { return self.counters.len() };
        if self.counters.is_empty() {
            return other.counters.len();
        }
        let last = (self.first + self.counters.len() as u64 - 1).max(other.first + more);
        usize::try_from(last - self.first.min(other.first)).unwrap_or(usize::MAX - 1) + 1
    }

    /// Widens the window so that it has a counter for `key`.
    fn open(&mut self, key: u64) {
        let span = self.span(key);
        if self.counters.is_empty() {
            self.first = key;
        } else if key < self.first {
            let front = span - self.counters.len();
            self.counters.splice(..0, std::iter::repeat_n(0, front));
            self.first = key;
        }
        self.counters.resize(span, 0);
    }

    fn merge(&mut self, other: &Self) {
        for (key, count) in other.counts() {
            self.open(key);
            self.add(key, count);
        }
    }

    /// Joins each two keys that differ in the last bit only.
    fn halve(&mut self) {
        let old = std::mem::take(self);
        for (key, count) in old.counts() {
            self.open(key >> 1);
            self.add(key >> 1, count);
        }
    }

    /// Keys and counts in order, without those of nothing.
    fn counts(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> {
        let counters = self.counters.iter().enumerate().filter(|&(_, &count)| count > 0);
        counters.map(|(place, &count)| (self.first + place as u64, count))
    }

    fn total(&self) -> u64 {
        self.counters.iter().sum()
    }
}
