//! What all carts of a node share: the ports, the idle time, who is awake, and what they have done.
//!
//! **Invariant.** A cart that is awake is on the roll from its start to its end, however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use otp::ServerId;
use pulse_core::CartId;
use pulse_core::ports::{Bus, CartStore, Clock, OrderDesk};

/// Who is awake. Called from the cart's own task: both must be quick and must not panic.
pub trait Roll: Send + Sync + 'static {
    /// This start of the cart is awake.
    fn awake(&self, cart: CartId, server: ServerId);
    /// It has ended: asleep, crashed or killed.
    fn ended(&self, cart: CartId, server: ServerId);
}

/// Nobody asks who is awake.
#[derive(Debug, Clone, Copy)]
pub struct NoRoll;

impl Roll for NoRoll {
    fn awake(&self, _: CartId, _: ServerId) {}
    fn ended(&self, _: CartId, _: ServerId) {}
}

/// What all carts of a node share; every cart holds one pointer to it.
pub struct CartEnv {
    /// Where carts are kept.
    pub store: Arc<dyn CartStore>,
    /// Asked whether the checkout of a frozen cart has made its order.
    pub orders: Arc<dyn OrderDesk>,
    /// For the lease of a freeze.
    pub clock: Arc<dyn Clock>,
    /// Told of every stored version.
    pub bus: Arc<dyn Bus>,
    /// A cart without a message for this long goes to sleep.
    pub idle: Duration,
    /// Who is awake.
    pub roll: Arc<dyn Roll>,
    /// What the carts have done.
    pub counters: CartCounters,
}

impl std::fmt::Debug for CartEnv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CartEnv").field("idle", &self.idle).finish_non_exhaustive()
    }
}

/// Counts over all carts that share an environment.
#[derive(Debug, Default)]
pub struct CartCounters {
    pub(crate) stored: AtomicU64,
    pub(crate) repeated: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) loaded: AtomicU64,
    pub(crate) fenced: AtomicU64,
    pub(crate) store_failed: AtomicU64,
    pub(crate) slept: AtomicU64,
}

/// [`CartCounters`] at one moment; all only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CartStats {
    /// Commands stored.
    pub stored: u64,
    /// Commands that were answered from the cart's memory of recent ones.
    pub repeated: u64,
    /// Commands that the cart did not allow.
    pub refused: u64,
    /// Loads from the store.
    pub loaded: u64,
    /// Saves that found another owner's version.
    pub fenced: u64,
    /// Loads and saves that failed.
    pub store_failed: u64,
    /// Carts that went to sleep by themselves.
    pub slept: u64,
}

impl CartCounters {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The counts now.
    pub fn stats(&self) -> CartStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CartStats {
            stored: get(&self.stored),
            repeated: get(&self.repeated),
            refused: get(&self.refused),
            loaded: get(&self.loaded),
            fenced: get(&self.fenced),
            store_failed: get(&self.store_failed),
            slept: get(&self.slept),
        }
    }
}
