//! A durable job queue on SQLite and PostgreSQL.
mod clock;
mod enqueue;
mod job;
pub mod schema;
pub use clock::{Clock, system_clock};
pub use enqueue::{enqueue, enqueue_many};
pub use job::{BadArgs, Enqueued, Failure, Job, JobId, NewJob, Outcome, State};
