//! The fleet's bounds.
//!
//! **Invariant.** Every bound has a value; none means "no limit".

use std::time::Duration;

/// How many, how long. The defaults fit one node of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetOptions {
    /// Carts awake at most; beyond it the idlest one is put to sleep for each that wakes. About 2 KB each with five lines.
    pub max_awake: usize,
    /// Calls under way at most, over all carts.
    pub max_in_flight: usize,
    /// Messages that may wait for one cart.
    pub mailbox: u32,
    /// A cart without a message for this long goes to sleep.
    pub idle: Duration,
    /// How long a call may take, a start included.
    pub patience: Duration,
    /// What a caller is told to wait when the fleet is full.
    pub retry_after: Duration,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self {
            max_awake: 200_000,
            max_in_flight: 20_000,
            mailbox: 256,
            idle: Duration::from_mins(5),
            patience: Duration::from_secs(5),
            retry_after: Duration::from_secs(1),
        }
    }
}
