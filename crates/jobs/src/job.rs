//! What a job is before, while and after it runs.
//!
//! **Invariant.** A job is data: a worker's name and JSON arguments. Nothing here touches a database or a clock.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Names one job; the database counts them and never gives a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub i64);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for its time.
    Scheduled,
    /// May be taken now.
    Available,
    /// Taken by a node under a lease.
    Executing,
    /// Failed; waits for its next attempt.
    Retryable,
    /// Ended well.
    Completed,
    /// Failed for the last time.
    Discarded,
    /// Given up by its worker or by a person.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::Available,
        Self::Executing,
        Self::Retryable,
        Self::Completed,
        Self::Discarded,
        Self::Cancelled,
    ];

    /// The name that is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Available => "available",
            Self::Executing => "executing",
            Self::Retryable => "retryable",
            Self::Completed => "completed",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A job to be enqueued. Times are milliseconds since 1970.
///
/// ```
/// use jobs::NewJob;
/// let job = NewJob::new("mail.send", serde_json::json!({ "to": "ann@example.com" }))
///     .queue("mail")
///     .max_attempts(5)
///     .unique("welcome:ann@example.com");
/// assert_eq!(job.worker, "mail.send");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Which queue's workers take it; `"default"` unless told.
    pub queue: String,
    /// The name of the worker that runs it.
    pub worker: String,
    /// What the worker is told.
    pub args: Value,
    /// 0 goes first, 9 last.
    pub priority: u8,
    /// How often it is tried at most; 20 unless told.
    pub max_attempts: u32,
    /// Not before this instant; `None` means at once.
    pub at: Option<i64>,
    /// While a job of this key waits or runs, another one is not inserted.
    pub unique_key: Option<String>,
    /// For people and tools (a trace id, who asked); the engine ignores it.
    pub meta: Value,
}

impl NewJob {
    /// A job for a worker, with its arguments, in the queue `default`, to be run at once.
    pub fn new(worker: impl Into<String>, args: Value) -> Self {
        Self {
            queue: "default".to_owned(),
            worker: worker.into(),
            args,
            priority: 0,
            max_attempts: 20,
            at: None,
            unique_key: None,
            meta: Value::Object(serde_json::Map::new()),
        }
    }

    /// Puts it into another queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = queue.into();
        self
    }

    /// 0 goes first, 9 last; what is higher counts as 9.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority.min(9);
        self
    }

    /// How often it is tried at most; at least once, at most 1,000 times.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.clamp(1, 1_000);
        self
    }

    /// Not before this instant.
    #[must_use]
    pub fn at(mut self, unix_ms: i64) -> Self {
        self.at = Some(unix_ms);
        self
    }

    /// Not a second time while one of this key waits or runs.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Notes for people and tools.
    #[must_use]
    pub fn meta(mut self, meta: Value) -> Self {
        self.meta = meta;
        self
    }
}

/// A job that a node has taken and runs now.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its number: the same at each attempt, so an effect outside can be keyed by it.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its worker's name.
    pub worker: String,
    /// Its arguments, as JSON text.
    pub args: String,
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
    /// Until when it belongs to this node.
    pub lease_until: i64,
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
}

/// What a worker says at the end of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It failed; try again after the back-off, or discard it after the last attempt.
    Retry(String),
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

/// What became of an enqueue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is in, under this number.
    New(JobId),
    /// One of its unique key waits or runs already.
    Duplicate,
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
