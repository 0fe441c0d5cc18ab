//! A job while and after it runs.
//!
//! **Invariant.** A job is data. Nothing here touches a database or a clock.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Names one job; the database counts them and never gives a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub i64);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A job that a node has taken and runs now.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// Its number: the same at each attempt, so an effect outside can be keyed by it.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its worker's name.
    pub worker: String,
    /// Its arguments, as JSON text.
    pub args: String,
    /// Notes, as JSON text.
    pub meta: String,
    /// Its priority.
    pub priority: u8,
    /// Which attempt this is, from 1; only ever grows, so it fences late acknowledgements.
    pub attempt: u32,
    /// The last attempt that is allowed.
    pub max_attempts: u32,
    /// How many attempts failed so far; the back-off grows with it.
    pub failures: u32,
    /// When it was to run, in milliseconds since 1970.
    pub scheduled_at: i64,
}

/// The arguments are not what the worker wants. No later attempt can change that: cancel the job.
#[derive(Debug, thiserror::Error)]
#[error("the arguments of job {id} ({worker}) can't be read: {source}")]
pub struct BadArgs {
    id: JobId,
    worker: String,
    source: serde_json::Error,
}

impl Job {
    /// Reads the arguments as a worker's own type.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, BadArgs> {
        serde_json::from_str(&self.args).map_err(|source| BadArgs {
            id: self.id,
            worker: self.worker.clone(),
            source,
        })
    }

    /// Whether a failure now is the last one.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// The trace that asked for it, where its notes name one.
    pub fn trace_id(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Traced {
            trace_id: String,
        }
        // Nearly all jobs have no notes: they are not parsed.
        let noted = self.meta.contains("trace_id");
        noted.then(|| serde_json::from_str::<Traced>(&self.meta).ok().map(|meta| meta.trace_id))?
    }
}

/// What a worker says at the end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It failed; try again after the back-off, or discard it after the last attempt.
    Retry(String),
    /// It failed, and asks for at least this time before it is tried again: the longer of that and the back-off is kept.
    RetryAfter(String, Duration),
    /// It makes no sense any more.
    Cancel(String),
    /// Not now; ask again after this time. Costs no attempt.
    Snooze(Duration),
}

impl Outcome {
    /// [`Outcome::Retry`] with an error's text.
    pub fn retry(error: impl std::fmt::Display) -> Self {
        Self::Retry(error.to_string())
    }

    /// [`Outcome::Cancel`] with an error's text.
    pub fn cancel(error: impl std::fmt::Display) -> Self {
        Self::Cancel(error.to_string())
    }
}

/// One failed attempt, as it is kept with the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Failure {
    /// Which attempt.
    pub attempt: u32,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Why.
    pub error: String,
}
