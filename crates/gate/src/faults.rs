//! Failures by plan or by seed.
//!
//! **Invariant.** The same plan strikes at the same calls: a failure that was seen is seen again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Says of each call whether it is to fail. Clones share the count of calls.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    calls: u64,
    plan: Plan,
}

#[derive(Debug)]
enum Plan {
    At(BTreeSet<u64>),
    Seeded { state: u64, of_hundred: u64 },
}

impl Faults {
    /// Strikes at these calls; the first one is 1.
    ///
    /// ```
    /// let faults = gate::Faults::at([2]);
    /// assert_eq!([faults.strike(), faults.strike(), faults.strike()], [false, true, false]);
    /// ```
    pub fn at(calls: impl IntoIterator<Item = u64>) -> Self {
        Self::new(Plan::At(calls.into_iter().collect()))
    }

    /// Strikes so many of a hundred calls, by a seed.
    pub fn seeded(seed: u64, of_hundred: u64) -> Self {
        Self::new(Plan::Seeded { state: seed, of_hundred })
    }

    fn new(plan: Plan) -> Self {
        Self(Arc::new(Mutex::new(State { calls: 0, plan })))
    }

    /// Whether this call fails.
    pub fn strike(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.calls += 1;
        let State { calls, plan } = &mut *state;
        match plan {
            Plan::At(at) => at.contains(calls),
            Plan::Seeded { state, of_hundred } => next(state) % 100 < *of_hundred,
        }
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).calls
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): small, and good enough to choose calls.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
