//! Why a message failed, and what its source should do about it.
//!
//! **Invariant.** A failure always has a reason that a person can read; eight bytes in every message pay for it.

use std::any::Any;
use std::fmt;
use std::time::Duration;

/// What the source of a failed message is asked to do. A source that can't deliver again (a file, an iterator)
/// treats all alike: what shall not be lost is kept by [`Handler::handle_failed`](crate::Handler::handle_failed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another attempt may succeed: deliver it again by the source's own back-off.
    Retry,
    /// Deliver it again, not before this time has passed.
    RetryAfter(Duration),
    /// No attempt will ever succeed: don't deliver it again.
    Reject,
}

/// Why a message failed.
///
/// ```
/// use pipeline::{Failure, Next};
/// let failure = Failure::reject("line 7: price: not a number");
/// assert_eq!(failure.reason(), "line 7: price: not a number");
/// assert_eq!(failure.next(), Next::Reject);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    reason: String,
    next: Next,
    panicked: bool,
}

impl Failure {
    /// It failed now and may succeed later: a database is gone, a lock was taken.
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self::new(reason.to_string(), Next::Retry, false)
    }

    /// As [`Failure::retry`], not before `delay` has passed.
    pub fn retry_after(delay: Duration, reason: impl fmt::Display) -> Self {
        Self::new(reason.to_string(), Next::RetryAfter(delay), false)
    }

    /// It is wrong and stays wrong: what can't be parsed, what names nothing.
    pub fn reject(reason: impl fmt::Display) -> Self {
        Self::new(reason.to_string(), Next::Reject, false)
    }

    /// A callback panicked. Another attempt may succeed: a source with a limit of attempts ends the poisonous ones.
    pub(crate) fn panicked(callback: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::new(format!("{callback} panicked: {text}"), Next::Retry, true)
    }

    fn new(reason: String, next: Next, panicked: bool) -> Self {
        Self(Box::new(Inner { reason, next, panicked }))
    }

    /// For people: what happened.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What its source is asked to do.
    pub fn next(&self) -> Next {
        self.0.next
    }

    /// Whether a callback panicked on it.
    pub fn is_panic(&self) -> bool {
        self.0.panicked
    }

    /// The same reason, another wish: `handle_failed` decides in one place.
    #[must_use]
    pub fn with_next(mut self, next: Next) -> Self {
        self.0.next = next;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl std::error::Error for Failure {}
