//! Lab M7: jobs that survive the process that runs them.
//!
//! **Invariant.** A job exists exactly if the transaction that brought it was committed. It may be attempted more than once,
//! and it has at most one effect: what a job writes is committed with its acknowledgement, or not at all.
//!
//! | module | what it is |
//! |---|---|
//! | [`job`] | what a job is, before, during and after |
//! | [`backoff`] | pure: how long a job that failed waits |
//! | [`queue`] | the table and its statements; time comes in as an argument |
//! | [`worker`] | the shell: leases, runs and acknowledges, some at a time, until it is stopped |

pub mod backoff;
pub mod job;
pub mod queue;
pub mod worker;

pub use backoff::Backoff;
pub use job::{Acked, Counts, Enqueued, Failure, Job, JobId, Millis, NewJob, Rescued};
pub use queue::{Effect, Queue};
pub use rusqlite;
pub use worker::{Clock, Settings, Stop, Worker, work};
