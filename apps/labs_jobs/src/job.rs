//! What a job is.
//!
//! **Invariant.** A [`Job`] is a lease: it names the attempt, and only that attempt can acknowledge it.

use std::fmt;

/// Milliseconds since a moment that all users of one queue agree on.
pub type Millis = i64;

/// A job's number, never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub i64);

/// A job that is to be done.
///
/// ```
/// use labs_jobs::NewJob;
/// let mail = NewJob::new("mail", "ada@example.org").key("order-7").attempts(5).at(60_000);
/// assert_eq!((mail.kind.as_str(), mail.key.as_deref(), mail.run_at), ("mail", Some("order-7"), 60_000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Which kind of work.
    pub kind: String,
    /// What the work is about.
    pub args: String,
    /// Of one kind and key at most one job waits or runs at a time. `None`: it is not unique.
    pub key: Option<String>,
    /// Not before this.
    pub run_at: Millis,
    /// How often it may be attempted, at least once.
    pub attempts: u32,
}

impl NewJob {
    /// To be done at once, in at most twenty attempts.
    pub fn new(kind: &str, args: &str) -> Self {
        Self { kind: kind.to_owned(), args: args.to_owned(), key: None, run_at: 0, attempts: 20 }
    }

    /// Unique by this key while it waits or runs.
    pub fn key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    /// Not before this.
    pub fn at(self, run_at: Millis) -> Self {
        Self { run_at, ..self }
    }

    /// At most so many attempts.
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }
}

/// What came of enqueueing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is a new job.
    New(JobId),
    /// This one waits or runs already under the key.
    Duplicate(JobId),
}

/// A leased job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Which kind of work.
    pub kind: String,
    /// What the work is about.
    pub args: String,
    /// Which attempt this is, from 1. It is also the fence: a later lease has a greater one.
    pub attempt: u32,
}

/// What came of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acked {
    /// It is done.
    Done,
    /// It will be attempted again, not before this.
    Again(Millis),
    /// That was the last attempt.
    Discarded,
    /// The lease had ended, and somebody else has the job: nothing was written.
    Lost,
}

/// Jobs whose lease had ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// They wait again.
    pub again: usize,
    /// They had no attempt left.
    pub discarded: usize,
}

/// How many jobs are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// For their time, or for a worker.
    pub waiting: usize,
    /// Leased.
    pub executing: usize,
    /// With their effect.
    pub done: usize,
    /// After the last attempt.
    pub discarded: usize,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<tokio::task::JoinError> for Failure {
    /// The panic's message.
    fn from(lost: tokio::task::JoinError) -> Self {
        let Ok(panic) = lost.try_into_panic() else { return Self("cancelled".to_owned()) };
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self(format!("panicked: {}", text.as_deref().unwrap_or("without a message")))
    }
}
