//! Counters that expire, kept by a server that may crash: callbacks, periodic work, supervision, and a state that is handed
//! over.
//!
//! Read in this order: [`counters`] (pure: what is counted and until when), [`server`] (callbacks and the loop that calls
//! them), [`intensity`] (pure: how many restarts are too many), [`supervisor`] (who is restarted, and when it gives
//! up), [`heir`] (what outlives a crash), [`counter`] (the server that puts them together).
//!
//! **Invariant.** What was acknowledged survives a crash with the time that it had left; what was half done does not. A server that
//! crashes again and again is given up, and everybody who waits for it hears so at once.

pub mod counter;
pub mod counters;
pub mod heir;
pub mod intensity;
pub mod server;
pub mod supervisor;

pub use counter::{Client, Counter, CounterError, Settings};
pub use counters::{Change, Counters, Full};
pub use heir::Heir;
pub use intensity::{Intensity, Window};
pub use server::{CallError, Handle, Next, Reply, Server, Spec};
pub use supervisor::{Child, Outcome, Restart, Supervised, Supervisor};
