//! A key-value process, built by hand on tokio: a mailbox, call and cast, monitors, and values that expire.
//!
//! Read in this order: [`mailbox`](mod@mailbox) (a queue with a bound), [`call`] (a question and its answer), [`process`] (a task
//! whose end others hear of), [`store`] (pure: what is kept, for whom and until when), [`server`] (the loop that puts
//! them together).
//!
//! **Invariant.** Nobody waits for ever and nothing is unbounded: each call ends with an answer or with an error
//! that says whether it may have been carried out; each queue and table has a bound, and a named answer at the bound.

pub mod call;
pub mod mailbox;
pub mod process;
pub mod server;
pub mod store;

pub use call::{CallError, Reply};
pub use mailbox::{Address, Mailbox, Received, Refused, mailbox};
pub use process::{Down, Exit, Pid, ProcessId};
pub use server::{Keep, Kv, KvError, Limits};
pub use store::{Full, Store};
