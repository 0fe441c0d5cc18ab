#![doc = include_str!("../README.md")]

mod broadcast;
mod channel;
mod conn;
mod ctx;
mod endpoint;
mod gathered;
mod limits;
mod origin;
mod outbox;
mod payload;
mod pieces;
pub mod presence;
mod router;
mod seats;
mod server;
mod socket;
mod stats;
mod upgrade;
mod websocket;
pub mod wire;

pub use broadcast::Broadcaster;
pub use channel::{Answer, Channel, Join, JoinRefused, Joined, JsonText, Push, PushBody};
pub use ctx::{Ctx, ReplyTo};
pub use endpoint::{Builder, Endpoint};
pub use limits::Limits;
pub use origin::Origins;
pub use payload::{Payload, RawPayload};
pub use presence::Presence;
pub use server::Msg;
pub use socket::{Connect, Refused, Socket};
pub use stats::Stats;
