//! What a cart can be told, and what it answers.
//!
//! **Invariant.** Each message is a call; its answer carries a snapshot that later commands do not change.

use std::sync::Arc;

use otp::Reply;
use pulse_core::cart::{Command, Limits, StoredCart};
use pulse_core::{CommandId, Version};

use crate::CartFailure;

/// A message to a cart.
#[derive(Debug)]
pub enum Msg {
    /// Do something, once.
    Command {
        /// The caller's name for this command: a repeat is answered, not done again. `None` for one that may be
        /// repeated as it is (freeze and thaw).
        id: Option<CommandId>,
        /// What to do.
        command: Command,
        /// What the cart may hold for this caller.
        limits: Limits,
        /// Where the receipt goes.
        reply: Reply<Result<Receipt, CartFailure>>,
    },
    /// Show the cart.
    View {
        /// Where the cart goes.
        reply: Reply<Result<Arc<StoredCart>, CartFailure>>,
    },
}

/// A command is done and durable.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The version that the command made; of a repeat, the one that it made then.
    pub version: Version,
    /// The cart as it is now.
    pub cart: Arc<StoredCart>,
}
