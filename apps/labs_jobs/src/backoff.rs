//! How long a job that failed waits.
//!
//! **Invariant.** The wait grows with each failure up to a bound, it is never nothing, and jobs that failed together come
//! back apart.

use crate::job::Millis;

/// Exponential, with equal jitter: half of the wait is fixed, the other half is drawn.
///
/// ```
/// use labs_jobs::Backoff;
/// let backoff = Backoff { first: 1000, most: 60_000 };
/// assert_eq!(backoff.delay(1, 1.0), 1000);
/// assert_eq!(backoff.delay(3, 0.0), 2000);
/// assert_eq!(backoff.delay(99, 1.0), 60_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait after the first failure, in milliseconds.
    pub first: Millis,
    /// The longest wait of all.
    pub most: Millis,
}

impl Backoff {
    /// After the `failures`-th failure (from 1); `jitter` is drawn evenly from 0 to 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "waits are far below 2^52 ms"
    )]
    pub fn delay(&self, failures: u32, jitter: f64) -> Millis {
        let span = |whole: Millis, part: f64| (whole as f64 * part.clamp(0.0, 1.0)) as Millis;
        //>> backoff
        //? A mail server is down for an hour, and a thousand jobs fail in the same second. When do they knock again?
        //? What is 2 to the power of 64, for a job that has failed that often?
        let doubled = 2_i64.saturating_pow(failures.saturating_sub(1));
        let whole = self.first.saturating_mul(doubled).min(self.most);
        whole / 2 + span(whole - whole / 2, jitter)
        //<<
    }
}
