//! Everything that is known of one column.
//!
//! **Invariant.** Its size does not depend on the number of rows. Every field of every row that is in the statistics is counted once:
//! as empty, as unreadable, or as a value of one kind.

use crate::kind::{Decimal, Kind, Number, read_value};
use crate::stats::distinct::Distinct;
use crate::stats::frequent::Frequent;
use crate::stats::moments::Moments;
use crate::stats::quantiles::Quantiles;
use crate::stats::range::Range;
use crate::stats::sum::Sum;
use crate::stats::text::{Text, hash, head};
use crate::summary::Depth;

/// The statistics of one column.
#[derive(Debug, Clone)]
pub struct Column {
    kinds: [u64; Kind::ALL.len()],
    unreadable: u64,
    least: Option<Text>,
    greatest: Option<Text>,
    range: Range,
    sum: Sum,
    moments: Moments,
    sketches: Option<Box<Sketches>>,
    /// The field of the row before.
    last: Last,
}

/// A field that has been looked at.
#[derive(Debug, Clone, Copy)]
struct Last {
    text: Text,
    head: u64,
    kind: Kind,
    number: Option<(Number, f64)>,
    hash: u64,
}

impl Last {
    #[inline]
    fn is(&self, head: u64, field: &[u8]) -> bool {
        self.head == head && self.text.is(field)
    }
}

/// What [`Depth::All`] adds.
#[derive(Debug, Clone, Default)]
struct Sketches {
    quantiles: Quantiles,
    distinct: Distinct,
    frequent: Frequent,
}

impl Column {
    /// A column that has seen nothing.
    pub fn new(depth: Depth) -> Self {
        Self {
            kinds: [0; Kind::ALL.len()],
            unreadable: 0,
            least: None,
            greatest: None,
            range: Range::default(),
            sum: Sum::default(),
            moments: Moments::default(),
            sketches: (depth == Depth::All).then(Box::default),
            last: Last { text: Text::new(b""), head: 0, kind: Kind::Empty, number: None, hash: 0 },
        }
    }

    /// Takes a field in. Constant time.
    #[inline]
    pub fn add(&mut self, field: &[u8]) {
        let head = head(field);
        if !self.last.is(head, field) {
            self.look(head, field);
        }
        self.kinds[self.last.kind as usize] += 1;
        if let Some((number, value)) = self.last.number {
            self.sum.add(number);
            self.moments.add(value);
        }
        if let (Some(sketches), true) = (&mut self.sketches, self.last.kind != Kind::Empty) {
            sketches.frequent.add(self.last.hash, field);
            if let Some((_, value)) = self.last.number {
                sketches.quantiles.add(value);
            }
        }
    }

    /// A field that is not that of the row before. What depends on its value alone, and not on how often it occurs, is worked out here:
    /// real files are grouped or sorted by some columns, and say the same thing row after row.
    fn look(&mut self, head: u64, field: &[u8]) {
        let (kind, number) = read_value(field);
        let hash = if self.sketches.is_some() { hash(field) } else { 0 };
        let number = number.map(|number| (number, number.value()));
        self.last = Last { text: Text::new(field), head, kind, number, hash };
        if kind == Kind::Empty {
            return;
        }
        if let Some((number, _)) = number {
            self.range.add(number);
        }
        if self.least.as_ref().is_none_or(|least| least.compare(head, field).is_gt()) {
            self.least = Some(self.last.text);
        }
        if self.greatest.as_ref().is_none_or(|greatest| greatest.compare(head, field).is_lt()) {
            self.greatest = Some(self.last.text);
        }
        if let Some(sketches) = &mut self.sketches {
            sketches.distinct.add(hash);
        }
    }

    /// Counts a field that can't be read.
    pub fn add_unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// Takes in what the same column of another file has seen.
    pub fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.kinds.iter_mut().zip(other.kinds) {
            *ours += theirs;
        }
        self.unreadable += other.unreadable;
        // `None` is below every text: right for the greatest, wrong for the least.
        self.least = match (self.least, other.least) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.greatest = self.greatest.max(other.greatest);
        self.range.merge(&other.range);
        self.sum.merge(&other.sum);
        self.moments.merge(&other.moments);
        if let (Some(ours), Some(theirs)) = (&mut self.sketches, &other.sketches) {
            ours.quantiles.merge(&theirs.quantiles);
            ours.distinct.merge(&theirs.distinct);
            ours.frequent.merge(&theirs.frequent);
        }
    }

    /// The narrowest kind that holds all its values.
    pub fn kind(&self) -> Kind {
        let seen = Kind::ALL.into_iter().filter(|kind| self.count_of(*kind) > 0);
        seen.fold(Kind::Empty, Kind::join)
    }

    /// How many fields were of exactly this kind.
    pub fn count_of(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize]
    }

    /// How many fields held a value.
    pub fn count(&self) -> u64 {
        self.kinds.iter().sum::<u64>() - self.nulls()
    }

    /// How many fields were empty.
    pub fn nulls(&self) -> u64 {
        self.count_of(Kind::Empty)
    }

    /// How many fields could not be read.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// The least value as a text, in the order of bytes.
    pub fn least(&self) -> Option<&Text> {
        self.least.as_ref()
    }

    /// The greatest value as a text, in the order of bytes.
    pub fn greatest(&self) -> Option<&Text> {
        self.greatest.as_ref()
    }

    /// Least and greatest of its numbers.
    pub fn range(&self) -> &Range {
        &self.range
    }

    /// The exact sum of its numbers; `None` if one of them was a float.
    pub fn sum(&self) -> Option<Decimal> {
        self.sum.get()
    }

    /// Mean and variance of its numbers.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Quantiles of its numbers, if they were asked for.
    pub fn quantiles(&self) -> Option<&Quantiles> {
        self.sketches.as_ref().map(|sketches| &sketches.quantiles)
    }

    /// How many different values it has, if that was asked for.
    pub fn distinct(&self) -> Option<&Distinct> {
        self.sketches.as_ref().map(|sketches| &sketches.distinct)
    }

    /// Its most frequent values, if they were asked for.
    pub fn frequent(&self) -> Option<&Frequent> {
        self.sketches.as_ref().map(|sketches| &sketches.frequent)
    }
}
