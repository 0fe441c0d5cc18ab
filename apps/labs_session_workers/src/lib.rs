//! One worker a session, started on first use, found by name, restarted after a crash, put to sleep when idle; and none that
//! nobody knows of.
//!
//! Read in this order: [`address`] (where to send, and when that is over), [`registry`] (names), [`life`] (what a session
//! is, and one life of a worker), [`supervisor`] (who runs, who comes back), [`sessions`] (the front: a call by key).
//!
//! **Invariant.** A key has at most one worker at a time: no life of a session overlaps another. Every worker that runs has its name, its
//! place in the supervisor's table, and an end: when it is gone, so are both.

pub mod address;
pub mod intensity;
pub mod life;
pub mod registry;
pub mod sessions;
pub mod supervisor;

pub use address::{Address, End, Reply};
pub use intensity::Intensity;
pub use life::{OpenError, Session};
pub use registry::{Name, Registry};
pub use sessions::{CallError, Limits, Sessions};
pub use supervisor::{Refused, Report};
