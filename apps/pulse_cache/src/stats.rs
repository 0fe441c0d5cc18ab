//! What a cache counts.
//!
//! **Invariant.** Counters only grow; reading them never stops a lookup.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the load-time histogram's buckets, in microseconds; one more bucket has no bound.
pub const LOAD_BOUNDS_MICROS: [u64; 10] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000];

/// A cache's counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheStats {
    /// Lookups answered with a value that was there.
    pub hits: u64,
    /// Lookups answered with a remembered absence.
    pub negative_hits: u64,
    /// Lookups that found nothing; callers that joined another's load are among them.
    pub misses: u64,
    /// Loads that were run: at most as many as misses.
    pub loads: u64,
    /// Loads that failed; they are not remembered.
    pub load_errors: u64,
    /// Time spent in loads, summed.
    pub load_time: Duration,
    /// Loads by time, per bucket of [`LOAD_BOUNDS_MICROS`], the last one without bound.
    pub load_buckets: [u64; LOAD_BOUNDS_MICROS.len() + 1],
    /// Announced changes.
    pub invalidations: u64,
    /// Values held now, about.
    pub entries: u64,
    /// Absences held now, about.
    pub negative_entries: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    hits: AtomicU64,
    negative_hits: AtomicU64,
    misses: AtomicU64,
    load_errors: AtomicU64,
    load_nanos: AtomicU64,
    load_buckets: [AtomicU64; LOAD_BOUNDS_MICROS.len() + 1],
    invalidations: AtomicU64,
}

fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn hit(&self) {
        add(&self.hits, 1);
    }

    pub(crate) fn negative_hit(&self) {
        add(&self.negative_hits, 1);
    }

    pub(crate) fn miss(&self) {
        add(&self.misses, 1);
    }

    pub(crate) fn invalidated(&self) {
        add(&self.invalidations, 1);
    }

    pub(crate) fn loaded(&self, took: Duration, failed: bool) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = LOAD_BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        add(&self.load_buckets[bucket], 1);
        add(&self.load_nanos, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        add(&self.load_errors, u64::from(failed));
    }

    /// The counters now; the caller adds how much is held.
    pub(crate) fn read(&self, entries: u64, negative_entries: u64) -> CacheStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let load_buckets = std::array::from_fn(|bucket| read(&self.load_buckets[bucket]));
        CacheStats {
            hits: read(&self.hits),
            negative_hits: read(&self.negative_hits),
            misses: read(&self.misses),
            loads: load_buckets.iter().sum(),
            load_errors: read(&self.load_errors),
            load_time: Duration::from_nanos(read(&self.load_nanos)),
            load_buckets,
            invalidations: read(&self.invalidations),
            entries,
            negative_entries,
        }
    }
}
