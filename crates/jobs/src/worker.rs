//! What runs jobs.
//!
//! **Invariant.** A worker may see one job more than once (its node can die between the effect and the
//! acknowledgement), so its effects are keyed by the job or its arguments. It never sees two attempts at a time
//! that both can be acknowledged.

use std::time::Duration;

use futures::future::BoxFuture;

use crate::job::{Job, Outcome};

/// Runs the jobs of one name.
///
/// ```
/// use futures::future::BoxFuture;
/// use jobs::{Job, Outcome, Worker};
///
/// struct Greet;
///
/// impl Worker for Greet {
///     fn name(&self) -> &'static str {
///         "greet"
///     }
///
///     fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
///         Box::pin(async move {
///             match job.args::<String>() {
///                 Ok(_name) => Outcome::Done,
///                 Err(error) => Outcome::cancel(error),
///             }
///         })
///     }
/// }
/// ```
pub trait Worker: Send + Sync + 'static {
    /// The name that jobs are enqueued under.
    fn name(&self) -> &'static str;

    /// Runs one attempt. A panic counts as [`Outcome::Retry`].
    fn run(&self, job: Job) -> BoxFuture<'_, Outcome>;

    /// An attempt that takes longer is stopped and counts as [`Outcome::Retry`].
    fn timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// How long to wait after the `failures`-th failure (from 1); `jitter` is drawn from 0 to 1.
    fn backoff(&self, failures: u32, jitter: f64) -> Duration {
        Backoff::DEFAULT.delay(failures, jitter)
    }
}

/// Exponential back-off with *equal jitter*: half of the delay is fixed, the other half drawn, so that jobs which
/// failed together come back apart, and none comes back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The delay after the first failure.
    pub first: Duration,
    /// It never grows beyond this.
    pub most: Duration,
}

impl Backoff {
    /// A second, doubled each time, up to an hour.
    pub const DEFAULT: Self = Self { first: Duration::from_secs(1), most: Duration::from_hours(1) };

    /// The delay after the `failures`-th failure (from 1); `jitter` from 0 to 1.
    ///
    /// ```
    /// use std::time::Duration;
    /// use jobs::Backoff;
    /// let backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };
    /// assert_eq!(backoff.delay(1, 1.0), Duration::from_secs(1));
    /// assert_eq!(backoff.delay(3, 0.0), Duration::from_secs(2));
    /// assert_eq!(backoff.delay(40, 1.0), Duration::from_secs(60));
    /// ```
    pub fn delay(&self, failures: u32, jitter: f64) -> Duration {
        let doubled = 2_u32.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let full = self.first.saturating_mul(doubled).min(self.most);
        full / 2 + (full / 2).mul_f64(jitter.clamp(0.0, 1.0))
    }
}
