//! The rate limit of all producers of a pipeline together.
//!
//! **Invariant.** In each period, counted from the moment at which the rate was set, at most the allowed number of
//! messages enters the processors. A change counts from the same moment on for whoever waits already.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// So many messages in each period; both at least 1 (a zero counts as one message, or one millisecond).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    messages: usize,
    period: Duration,
}

impl Rate {
    /// `messages` in each `period`.
    pub fn new(messages: usize, period: Duration) -> Self {
        Self { messages: messages.max(1), period: period.max(Duration::from_millis(1)) }
    }

    /// `messages` in each second.
    pub fn per_second(messages: usize) -> Self {
        Self::new(messages, Duration::from_secs(1))
    }

    /// How many messages
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// in which time.
    pub fn period(&self) -> Duration {
        self.period
    }
}

/// Lets messages pass.
pub(crate) struct Limiter {
    window: Mutex<Window>,
    changed: Notify,
}

/// One period: when it began, how many have passed since.
struct Window {
    rate: Option<Rate>,
    began: Option<Instant>,
    passed: usize,
}

impl Limiter {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self { window: Mutex::new(Window { rate, began: None, passed: 0 }), changed: Notify::new() }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rate(&self) -> Option<Rate> {
        self.window().rate
    }

    pub(crate) fn set(&self, rate: Option<Rate>) {
        *self.window() = Window { rate, began: Some(Instant::now()), passed: 0 };
        self.changed.notify_waiters();
    }

    /// How much a source should be asked for, so that it is not read much faster than its messages may pass.
    pub(crate) fn wish(&self, demand: usize) -> usize {
        self.rate().map_or(demand, |rate| demand.min(rate.messages))
    }

    /// Waits until at least one of `messages` (at least 1) may pass; answers how many may, and whether it waited.
    pub(crate) async fn pass(&self, messages: usize) -> (usize, bool) {
        let mut waited = false;
        loop {
            // Registered before the look at the window: a change in between wakes it.
            let changed = self.changed.notified();
            let until = match self.window().take(messages, Instant::now()) {
                Ok(passed) => return (passed, waited),
                Err(until) => until,
            };
            waited = true;
            tokio::select! {
                () = sleep_until(until) => {}
                () = changed => {}
            }
        }
    }
}

impl Window {
    /// How many of `wanted` pass now; none: when to ask again.
    fn take(&mut self, wanted: usize, now: Instant) -> Result<usize, Instant> {
        let Some(rate) = self.rate else { return Ok(wanted) };
        let began = self.began.get_or_insert(now);
        let mut ends = *began + rate.period;
        if now >= ends {
            // Whole periods on, so that the windows stay where they are however late somebody asks.
            let periods = now.duration_since(*began).as_nanos() / rate.period.as_nanos();
            let skipped = u32::try_from(periods).map_or(now - *began, |periods| rate.period * periods);
            *began += skipped;
            self.passed = 0;
            ends = *began + rate.period;
        }
        match wanted.min(rate.messages - self.passed) {
            0 => Err(ends),
            some => {
                self.passed += some;
                Ok(some)
            }
        }
    }
}
