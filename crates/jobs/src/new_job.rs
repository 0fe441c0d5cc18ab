//! A job before it is in the table.
//!
//! **Invariant.** A new job is data: a worker's name and JSON arguments. Nothing here touches a database or a clock.

use serde_json::Value;

use crate::job::JobId;
use crate::unique::Unique;

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
    /// Keeps it out while another one like it is there.
    pub unique: Option<Unique>,
    /// For people and tools. A text under `trace_id` goes onto the span of each attempt.
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
            unique: None,
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

    /// Not a second time: a text is a key of one's own, which keeps others away while its job waits or runs;
    /// [`Unique`] has the rest.
    #[must_use]
    pub fn unique(mut self, unique: impl Into<Unique>) -> Self {
        self.unique = Some(unique.into());
        self
    }

    /// Notes for people and tools.
    #[must_use]
    pub fn meta(mut self, meta: Value) -> Self {
        self.meta = meta;
        self
    }
}

/// What became of an enqueue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It is in, under this number.
    New(JobId),
    /// One like it is there already, under this number, and stays as it is.
    Duplicate(JobId),
    /// One like it waits, under this number, and has taken over the fields that [`Unique::replace`] names.
    Replaced(JobId),
}

impl Enqueued {
    /// The job that is there now.
    pub fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Duplicate(id) | Self::Replaced(id) => id,
        }
    }
}
