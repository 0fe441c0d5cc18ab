#![doc = include_str!("../README.md")]

mod addr;
mod child;
mod children;
mod counters;
mod dynamic;
mod error;
mod exit;
pub mod guide;
mod inbox;
mod intensity;
mod life;
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
pub use counters::Stats;
pub use dynamic::DynamicSupervisor;
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

#[cfg(all(panic = "abort", not(doc)))]
compile_error!(
    "otp needs `panic = \"unwind\"`: with `abort` the first crash of a server ends the whole process"
);
