//! One cart as a server process: a fast, serial view of its row.
//!
//! **Invariant.** What a cart answers is what its row holds: a command is stored under the next version before its
//! reply, and a view that may be stale (a store that failed, a fence, a checkout under way) is loaded again before
//! it is used. So a cart can be killed at any moment, and two owners of one cart cost a retry, never a lost or
//! doubled command.
//!
//! The server starts empty and loads its row with the first message: a store that is down is an answer, not a crash.
//! See `pulse_fleet` for how carts are started, found and bounded.
//!
//! ```
//! # use std::sync::Arc;
//! # use pulse_cart::{CartEnv, CartServer, Msg};
//! # use pulse_core::CartId;
//! # async fn example(env: Arc<CartEnv>) -> Result<(), Box<dyn std::error::Error>> {
//! let spec = otp::Spec::<CartServer>::temporary((CartId(7), env));
//! let cart = otp::start(spec).await.map_err(|error| error.into_exit().to_string())?;
//! let seen = cart.ask(|reply| Msg::View { reply }).await??;
//! println!("{} lines under version {}", seen.cart.lines.len(), seen.version.0);
//! # Ok(())
//! # }
//! ```

mod env;
mod failure;
mod message;
mod row;
mod server;

pub use env::{CartCounters, CartEnv, CartStats, NoRoll, Roll};
pub use failure::CartFailure;
pub use message::{Msg, Receipt};
pub use server::CartServer;
