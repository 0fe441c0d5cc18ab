//! How many restarts are too many. Pure: time comes in as an argument.
//!
//! **Invariant.** Within any stretch of `period`, wherever it begins, at most `restarts` are admitted.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// At most `restarts` within any `period`; with one more the session is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts allowed.
    pub restarts: usize,
    /// How long each of them counts.
    pub period: Duration,
}

impl Default for Intensity {
    /// Three in five seconds, as in Elixir.
    fn default() -> Self {
        Self { restarts: 3, period: Duration::from_secs(5) }
    }
}

/// The restarts that still count.
#[derive(Debug)]
pub(crate) struct Window {
    intensity: Intensity,
    /// Oldest first, and never more than `intensity.restarts`.
    recent: VecDeque<Instant>,
}

impl Window {
    /// No restarts so far.
    pub(crate) fn new(intensity: Intensity) -> Self {
        Self { intensity, recent: VecDeque::new() }
    }

    /// Whether one more restart is allowed now; if it is, it counts. O(1) amortised.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        while self.recent.front().is_some_and(|at| now.duration_since(*at) >= self.intensity.period) {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.intensity.restarts {
            return false;
        }
        self.recent.push_back(now);
        true
    }
}
