//! How many restarts a supervisor may do. Invariant: one window a supervisor, whichever children crash.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// At most `restarts` within any `period`; one more and the supervisor gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts allowed.
    pub restarts: u32,
    /// The length of the sliding window.
    pub period: Duration,
}

impl Default for Intensity {
    /// Three in five seconds, as in Elixir.
    fn default() -> Self {
        Self { restarts: 3, period: Duration::from_secs(5) }
    }
}

/// The restarts of the last period. O(1) amortised a restart; keeps at most `restarts` instants.
pub(crate) struct Window {
    intensity: Intensity,
    recent: VecDeque<Instant>,
}

impl Window {
    pub(crate) fn new(intensity: Intensity) -> Self {
        Self { intensity, recent: VecDeque::new() }
    }

    /// Counts a restart; false if it is one too many.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        while self.recent.front().is_some_and(|at| now.duration_since(*at) >= self.intensity.period) {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.intensity.restarts as usize {
            return false;
        }
        self.recent.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The sliding window agrees with counting by hand.
        #[test]
        fn admits_exactly_what_fits_into_every_window(
            restarts in 0u32..6, gaps in prop::collection::vec(0u64..4_000, 0..60),
        ) {
            let period = Duration::from_secs(5);
            let mut window = Window::new(Intensity { restarts, period });
            let mut now = Instant::now();
            let mut admitted: Vec<Instant> = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                let recent = admitted.iter().filter(|at| now.duration_since(**at) < period).count();
                let expected = recent < restarts as usize;
                prop_assert_eq!(window.admit(now), expected);
                if expected {
                    admitted.push(now);
                }
            }
        }
    }
}
