//! A durable job queue on SQLite and PostgreSQL.
//!
//! **Invariant.** A job exists exactly if the transaction that enqueued it committed; it is run at least once, and
//! at most one attempt at a time can be acknowledged.
//!
//! | Oban's idea | here |
//! |---|---|
//! | enqueue with the business data | [`enqueue`] is one INSERT on the caller's transaction |
//! | what runs it | a [`Worker`], which answers an [`Outcome`]: `Done`, `Retry`, `Cancel`, `Snooze` |
//! | who runs it | an [`Engine`] a process: queues with a concurrency each, over a [`Store`] |
//! | states | [`State`]: seven, as Oban names them |
//! | not twice | [`Unique`]: by key, arguments or worker, within a period, in chosen states; [`Unique::replace`] |
//! | it fails | a persisted exponential [`Backoff`] with jitter, `Discarded` after the last attempt |
//! | a node dies | it no longer renews its leases, any engine rescues its jobs; acknowledgements are fenced by (id, attempt, node) |
//! | pause, scale | [`queues`]: a row a queue that every node follows, with limits per node and for all together |
//! | cron | [`Cron`]: expressions in time zones; a leader fires each tick once |
//! | cancel | [`cancel`], also of a job that runs: its attempt is stopped where it awaits |
//! | notifications | [`Wake`]: in this process, and through NOTIFY in all others; polling where that fails |
//! | shutdown | [`Running::drain`] ends what runs and gives back what was only taken |
//! | telemetry | [`Stats`], an [`Observer`], a span an attempt |
//! | admin pages | [`list`], [`find`], [`retry_many`], [`cancel_many`], [`queues::list`], [`crons`] |
//! | tests | [`testing`]: drain inline, assert what was enqueued, a clock to turn |
//!
//! An engine looks for work when [`Wake`] tells it and every [`Options::poll`]. It takes jobs in batches under a
//! lease, runs them, and writes outcomes in batches; while one statement is under way the next batch gathers.
//!
//! What is absent: a job's exclusive run. A node can die after an effect and before its acknowledgement, so every
//! effect outside the database needs a key that stays the same at each attempt ([`Job::id`], or one in the
//! arguments). Two attempts run at the same time only where a worker goes on without awaiting after its node has
//! lost its lease, or where the clocks of two nodes differ by more than half of one.

mod attempt;
mod clock;
mod core;
mod cron;
mod engine;
mod enqueue;
mod held;
mod housekeeping;
mod inline;
mod inspect;
mod job;
mod keeper;
mod leader;
mod listen;
mod new_job;
mod observe;
mod options;
mod queue;
pub mod queues;
mod running;
pub mod schema;
mod settle;
mod state;
mod stats;
mod store;
mod table;
pub mod testing;
mod unique;
mod wake;
mod worker;

pub use clock::{Clock, system_clock};
pub use cron::{BadCron, Cron, Missed};
pub use engine::Engine;
pub use enqueue::{enqueue, enqueue_at, enqueue_many};
pub use inspect::{
    Count, CronRow, Filter, MAX_PAGE, Page, Stored, cancel, cancel_many, counts, crons, find, list, retry,
    retry_many,
};
pub use job::{BadArgs, Failure, Job, JobId, Outcome};
pub use new_job::{Enqueued, NewJob};
pub use observe::{Event, Observer, Setting, Stopped};
pub use options::Options;
pub use running::{Drained, Running};
pub use state::State;
pub use stats::{Snapshot, Stats};
pub use store::Store;
pub use unique::{Field, Unique};
pub use wake::{Wake, notify};
pub use worker::{Backoff, Worker};
