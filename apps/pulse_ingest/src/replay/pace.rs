//! How fast the year passes.
//!
//! **Invariant.** A row is never let through before its time, counted from the first row of the run; rows that stand out
//! of order wait for nothing.

use std::str::FromStr;
use std::time::Duration;

use pulse_core::Timestamp;
use tokio::time::Instant;

/// How fast a replay goes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Speed {
    /// As fast as the shop can take it.
    #[default]
    Max,
    /// So many times as fast as life: at 3600 an hour passes in a second.
    Times(f64),
}

/// A text that is no speed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no speed: use `max`, or a factor above zero (3600 lets an hour pass in a second)")]
pub struct InvalidSpeed(String);

impl FromStr for Speed {
    type Err = InvalidSpeed;

    fn from_str(text: &str) -> Result<Self, InvalidSpeed> {
        match text.parse::<f64>() {
            _ if text == "max" => Ok(Self::Max),
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            _ => Err(InvalidSpeed(text.to_owned())),
        }
    }
}

/// Holds rows back until their time.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Speed,
    /// The first row's real and shop time.
    start: Option<(Instant, Timestamp)>,
}

impl Pace {
    pub(super) const fn new(speed: Speed) -> Self {
        Self { speed, start: None }
    }

    /// Whether rows wait at all.
    pub(super) const fn is_slow(&self) -> bool {
        matches!(self.speed, Speed::Times(_))
    }

    /// When a row of this time may go; `None` for at once.
    pub(super) fn due(&mut self, at: Timestamp) -> Option<Instant> {
        let Speed::Times(times) = self.speed else { return None };
        let (start, first) = *self.start.get_or_insert_with(|| (Instant::now(), at));
        let passed = Duration::from_millis(u64::try_from(at.0.saturating_sub(first.0)).unwrap_or(0));
        // What lies beyond the end of the clock waits for a century.
        let wait = Duration::try_from_secs_f64(passed.as_secs_f64() / times).unwrap_or(Duration::MAX);
        let wait = wait.min(Duration::from_hours(100 * 365 * 24));
        Some(start + wait).filter(|due| *due > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_max_or_a_factor() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("3600".parse(), Ok(Speed::Times(3600.0)));
        assert_eq!("0.5".parse(), Ok(Speed::Times(0.5)));
        for text in ["", "0", "-1", "inf", "NaN", "fast", "MAX"] {
            assert!(text.parse::<Speed>().is_err(), "{text:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn at_3600_an_hour_passes_in_a_second() {
        let mut pace = Pace::new(Speed::Times(3600.0));
        let hour = |n: i64| Timestamp(1_291_190_400_000 + n * 3_600_000);
        assert_eq!(pace.due(hour(0)), None, "the first row goes at once");
        let start = Instant::now();
        assert_eq!(pace.due(hour(5)), Some(start + Duration::from_secs(5)));
        tokio::time::sleep_until(start + Duration::from_secs(5)).await;
        assert_eq!(pace.due(hour(5)), None);
        assert_eq!(pace.due(hour(4)), None, "a late row does not wait");
        assert_eq!(pace.due(hour(-1)), None, "nor one before the first");
        assert_eq!(pace.due(hour(6)), Some(start + Duration::from_secs(6)), "the clock is the first row's");
    }

    #[test]
    fn at_full_speed_nothing_waits() {
        let mut pace = Pace::new(Speed::Max);
        assert_eq!(pace.due(Timestamp(0)), None);
        assert_eq!(pace.due(Timestamp(i64::MAX)), None);
    }
}
