//! The machine's clock as the shop's [`Clock`] port.
//!
//! **Invariant.** The only place in the data room that reads a clock; contexts are given the time.

use std::time::{SystemTime, UNIX_EPOCH};

use pulse_core::Timestamp;
use pulse_core::ports::Clock;

/// Tells the time of the machine, in UTC.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
