//! Servers, supervisors, registries, timers and pubsub: OTP's ideas on tokio.

mod addr;
mod child;
mod dynamic;
mod error;
mod exit;
mod inbox;
mod intensity;
mod mailbox;
mod monitor;
mod partition;
mod process;
mod pubsub;
mod registry;
mod server;
mod spec;
mod supervising;
mod supervisor;
mod timer;

pub use addr::{Addr, DEFAULT_TIMEOUT, Reply, ServerRef};
pub use child::Child;
pub use dynamic::{DynamicSupervisor, Stats};
pub use error::{CallError, CastError, StartError, StopError, TryCastError};
pub use exit::Exit;
pub use inbox::{Inbox, inbox};
pub use intensity::Intensity;
pub use monitor::{Down, Monitor};
pub use partition::PartitionSupervisor;
pub use process::{ServerId, ServerInfo};
pub use pubsub::{PubSub, Published};
pub use registry::{EnsureError, NameTaken, Registry};
pub use server::{Ctx, GenServer};
pub use spec::{DEFAULT_CAPACITY, KILL_GRACE, Restart, Shutdown, Spec, start};
pub use supervisor::{ChildError, ChildInfo, Strategy, Supervisor, SupervisorRef};
pub use timer::{TimerRef, pending_timers};
