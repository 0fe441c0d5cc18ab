//! A durable job queue on SQLite and PostgreSQL.
//!
//! **Invariant.** A job exists exactly if the transaction that enqueued it committed; it is run at least once, and
//! at most one attempt at a time can be acknowledged.
//!
//! | idea | here |
//! |---|---|
//! | enqueue with the business data | [`enqueue`] is one INSERT on the caller's transaction |
//! | what runs it | a [`Worker`], which answers an [`Outcome`]: `Done`, `Retry`, `Cancel`, `Snooze` |
//! | who runs it | an [`Engine`] a process: queues with a concurrency each, over a [`Store`] |
//! | a node dies | its jobs' leases end, any engine rescues them; acknowledgements are fenced by (id, attempt, node) |
//! | it fails | a persisted exponential [`Backoff`] with jitter, `Discarded` after the last attempt |
//! | not twice | [`NewJob::unique`]: while one waits or runs, a second enqueue answers [`Enqueued::Duplicate`] |
//! | shutdown | [`Running::drain`] ends what runs and gives back what was only taken |
//!
//! An engine looks for work when [`Wake`] tells it and every [`Options::poll`]. It takes jobs in batches under a
//! lease, runs them, and writes outcomes in batches; while one statement is under way the next batch gathers.
//!
//! What is absent: a job's exclusive run. A node can die after an effect and before its acknowledgement, so every
//! effect outside the database needs a key that stays the same at each attempt ([`Job::id`], or one in the
//! arguments).

mod attempt;
mod clock;
mod engine;
mod enqueue;
mod inspect;
mod job;
mod queue;
pub mod schema;
mod settle;
mod stats;
mod store;
mod table;
mod worker;

pub use clock::{Clock, system_clock};
pub use engine::{Drained, Engine, Options, Running, Wake};
pub use enqueue::{enqueue, enqueue_many};
pub use inspect::{Count, Stored, cancel, counts, find, retry};
pub use job::{BadArgs, Enqueued, Failure, Job, JobId, NewJob, Outcome, State};
pub use stats::{Snapshot, Stats};
pub use store::Store;
pub use worker::{Backoff, Worker};
