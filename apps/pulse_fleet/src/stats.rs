//! What the fleet is doing and has done, for metrics.
//!
//! **Invariant.** Reading costs a few atomic loads and stops nobody.

use std::sync::atomic::{AtomicU64, Ordering};

use pulse_cart::CartStats;

/// The fleet at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FleetStats {
    /// Carts awake (a gauge).
    pub awake: usize,
    /// Calls under way (a gauge).
    pub in_flight: usize,
    /// Carts that back off after crashes (a gauge).
    pub backing_off: usize,
    /// Starts of carts.
    pub started: u64,
    /// Carts put to sleep to make room.
    pub evicted: u64,
    /// Calls whose cart ended or was silent with the message in its hands.
    pub crashed: u64,
    /// Calls turned away, for whatever bound.
    pub overloaded: u64,
    /// What the carts have done.
    pub carts: CartStats,
}

/// The fleet's own counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) evicted: AtomicU64,
    pub(crate) crashed: AtomicU64,
    pub(crate) overloaded: AtomicU64,
}

impl Counters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
