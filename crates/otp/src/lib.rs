//! Servers, supervisors, registries, timers and pubsub: OTP's ideas on tokio.

mod addr;
mod dynamic;
mod error;
mod exit;
mod intensity;
mod mailbox;
mod monitor;
mod process;
mod registry;
mod server;
mod spec;
mod timer;

pub use addr::{Addr, DEFAULT_TIMEOUT, Reply, ServerRef};
pub use dynamic::{DynamicSupervisor, Stats};
pub use error::{CallError, CastError, StartError, StopError, TryCastError};
pub use exit::Exit;
pub use intensity::Intensity;
pub use monitor::{Down, Monitor};
pub use process::{ServerId, ServerInfo};
pub use registry::{EnsureError, NameTaken, Registry};
pub use server::{Ctx, GenServer};
pub use spec::{DEFAULT_CAPACITY, KILL_GRACE, Restart, Shutdown, Spec, start};
pub use timer::TimerRef;
