//! Which rows of a feed are dealt with: a set of positions, kept as ranges.
//!
//! **Invariant.** The ranges are sorted, and between two of them lies at least one position that is not in the set; so a
//! file that is read in order is one range, whatever its length.

use std::fmt;
use std::str::FromStr;

use crate::DbError;

/// A set of positions: a file's row numbers, a stream's sequence numbers.
///
/// ```
/// use pulse_data::feeds::Seen;
/// let mut seen = Seen::default();
/// (1..=5000).chain([5003]).for_each(|row| seen.insert(row));
/// assert_eq!(seen.to_string(), "1-5000,5003");
/// assert!(seen.contains(17) && !seen.contains(5001));
/// assert_eq!("1-5000,5003".parse(), Ok(seen));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen(Vec<(u64, u64)>);

impl Seen {
    /// Everything up to and including `last`, from 1.
    pub fn up_to(last: u64) -> Self {
        if last == 0 { Self::default() } else { Self(vec![(1, last)]) }
    }

    /// Whether a position is in the set. O(log ranges).
    pub fn contains(&self, position: u64) -> bool {
        let next = self.0.partition_point(|(first, _)| *first <= position);
        next.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, last)| position <= *last)
    }

    /// Adds a position. O(1) at the end, else O(ranges).
    pub fn insert(&mut self, position: u64) {
        self.insert_all(position, position);
    }

    /// Adds all positions from `first` to `last`.
    pub fn insert_all(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        // Ranges that touch the new one become one with it.
        let from = self.0.partition_point(|(_, end)| end.saturating_add(1) < first);
        let to = self.0.partition_point(|(start, _)| *start <= last.saturating_add(1));
        let joined = self.0.get(from..to).unwrap_or_default();
        let first = joined.first().map_or(first, |(start, _)| first.min(*start));
        let last = joined.last().map_or(last, |(_, end)| last.max(*end));
        self.0.splice(from..to.max(from), [(first, last)]);
    }

    /// Adds everything of another set.
    pub fn extend(&mut self, other: &Self) {
        for (first, last) in &other.0 {
            self.insert_all(*first, *last);
        }
    }

    /// How many ranges it takes: what it costs to keep.
    pub fn ranges(&self) -> usize {
        self.0.len()
    }

    /// How many positions are in it.
    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, (first, last)| sum.saturating_add((last - first).saturating_add(1)))
    }

    /// The smallest and the largest position.
    pub fn bounds(&self) -> Option<(u64, u64)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// Up to where nothing is missing, from 1.
    pub fn mark(&self) -> u64 {
        self.0.first().filter(|(first, _)| *first <= 1).map_or(0, |(_, last)| *last)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (first, last)) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}-{last}")? }
        }
        Ok(())
    }
}

/// A text that is no set of ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no list of ranges like 1-5000,5003")]
pub struct InvalidSeen(String);

impl FromStr for Seen {
    type Err = InvalidSeen;

    fn from_str(text: &str) -> Result<Self, InvalidSeen> {
        let wrong = || InvalidSeen(text.chars().take(100).collect());
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
        let mut seen = Self::default();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(wrong());
            }
            seen.insert_all(first, last);
        }
        Ok(seen)
    }
}

impl From<InvalidSeen> for DbError {
    fn from(error: InvalidSeen) -> Self {
        Self::Corrupt(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Seen;

    proptest! {
        #[test]
        fn it_holds_what_a_set_holds(ranges in proptest::collection::vec((0_u64..200, 0_u64..20), 0..40)) {
            let (mut seen, mut set) = (Seen::default(), BTreeSet::new());
            for (first, more) in ranges {
                seen.insert_all(first, first + more);
                set.extend(first..=first + more);
                prop_assert!(seen.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{seen:?}");
            }
            prop_assert!((0..250).all(|n| seen.contains(n) == set.contains(&n)), "{seen:?}");
            prop_assert_eq!(seen.count(), set.len() as u64);
            prop_assert_eq!(seen.to_string().parse::<Seen>().unwrap(), seen);
        }
    }

    #[test]
    fn the_mark_is_where_the_first_gap_is() {
        assert_eq!("1-7,9".parse::<Seen>().unwrap().mark(), 7);
        assert_eq!("2-7".parse::<Seen>().unwrap().mark(), 0);
        assert_eq!(Seen::default().mark(), 0);
        assert!("7-2".parse::<Seen>().is_err() && "a".parse::<Seen>().is_err());
    }
}
