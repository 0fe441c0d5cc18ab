//! What an attempt's outcome means for its row: a pure decision.
//!
//! **Invariant.** Every outcome leads to exactly one state; a failure at the last attempt is discarded; waiting
//! (snooze, hand-back) never uses an attempt up.

use std::time::Duration;

use serde::Serialize;

use crate::job::{Failure, Job, JobId, Outcome};
use crate::state::State;

/// One row's change, as it travels to the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ack {
    pub(crate) id: JobId,
    pub(crate) attempt: u32,
    pub(crate) state: State,
    /// When it is due again.
    pub(crate) at: Option<i64>,
    /// When it ended.
    pub(crate) ended: Option<i64>,
    /// Attempts given back: `attempt` only grows, because it is the fence, so the limit grows with it.
    pub(crate) extra: u32,
    /// A failure, as JSON text.
    pub(crate) error: Option<String>,
}

impl Ack {
    /// Done, and nothing else to say.
    pub(crate) fn is_plain(&self) -> bool {
        let Self { id: _, attempt: _, state, at, ended, extra, error } = self;
        *state == State::Completed && at.is_none() && ended.is_some() && *extra == 0 && error.is_none()
    }
}

impl Serialize for JobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// An error text is kept up to here, in bytes.
const ERROR_KEPT: usize = 2_000;

/// What becomes of a job whose attempt ended at `now`; a retry waits for `delay`.
pub(crate) fn settle(job: &Job, outcome: Outcome, now: i64, delay: Duration) -> Ack {
    let blank = Ack {
        id: job.id,
        attempt: job.attempt,
        state: State::Completed,
        at: None,
        ended: Some(now),
        extra: 0,
        error: None,
    };
    match outcome {
        Outcome::Done => blank,
        Outcome::Cancel(why) => {
            Ack { state: State::Cancelled, error: failure(job.attempt, now, &why), ..blank }
        }
        Outcome::Retry(why) | Outcome::RetryAfter(why, _) if job.is_last_attempt() => {
            Ack { state: State::Discarded, error: failure(job.attempt, now, &why), ..blank }
        }
        Outcome::Retry(why) | Outcome::RetryAfter(why, _) => Ack {
            state: State::Retryable,
            at: Some(later(now, delay)),
            ended: None,
            error: failure(job.attempt, now, &why),
            ..blank
        },
        Outcome::Snooze(time) => {
            Ack { state: State::Scheduled, at: Some(later(now, time)), ended: None, extra: 1, ..blank }
        }
    }
}

/// Gives a job back that was taken and never begun.
pub(crate) fn hand_back(job: &Job) -> Ack {
    Ack {
        id: job.id,
        attempt: job.attempt,
        state: State::Available,
        at: None,
        ended: None,
        extra: 1,
        error: None,
    }
}

/// Cancels a job whose row can't be read: no later attempt can change that.
pub(crate) fn poisoned(id: JobId, attempt: u32, now: i64, why: &str) -> Ack {
    Ack {
        id,
        attempt,
        state: State::Cancelled,
        at: None,
        ended: Some(now),
        extra: 0,
        error: failure(attempt, now, why),
    }
}

fn later(now: i64, by: Duration) -> i64 {
    now.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

fn failure(attempt: u32, at: i64, why: &str) -> Option<String> {
    let mut end = why.len().min(ERROR_KEPT);
    while !why.is_char_boundary(end) {
        end -= 1;
    }
    let error = why.get(..end).unwrap_or_default().to_owned();
    serde_json::to_string(&Failure { attempt, at, error }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(attempt: u32, max_attempts: u32) -> Job {
        Job {
            id: JobId(7),
            queue: "q".into(),
            worker: "w".into(),
            args: "{}".into(),
            meta: "{}".into(),
            priority: 0,
            attempt,
            max_attempts,
            failures: 0,
            scheduled_at: 0,
        }
    }

    #[test]
    fn a_failure_waits_and_the_last_one_is_discarded() {
        let wait = Duration::from_secs(2);
        let ack = settle(&job(1, 2), Outcome::Retry("no".into()), 10, wait);
        assert_eq!((ack.state, ack.at, ack.ended, ack.extra), (State::Retryable, Some(2_010), None, 0));
        let ack = settle(&job(2, 2), Outcome::Retry("no".into()), 10, wait);
        assert_eq!((ack.state, ack.at, ack.ended), (State::Discarded, None, Some(10)));
    }

    #[test]
    fn waiting_uses_no_attempt_up() {
        let ack = settle(&job(2, 2), Outcome::Snooze(Duration::from_secs(1)), 10, Duration::ZERO);
        assert_eq!((ack.state, ack.at, ack.extra), (State::Scheduled, Some(1_010), 1));
        assert_eq!((hand_back(&job(2, 2)).state, hand_back(&job(2, 2)).extra), (State::Available, 1));
    }

    #[test]
    fn a_long_error_is_cut_between_characters() {
        let text = failure(1, 0, &"ü".repeat(3_000)).unwrap();
        let kept: Failure = serde_json::from_str(&text).unwrap();
        assert_eq!(kept.error, "ü".repeat(1_000));
    }
}
