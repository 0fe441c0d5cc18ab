//! Carts that crash again and again are left alone for a while, each for itself.
//!
//! **Invariant.** One answer of any kind forgets a cart's crashes; a cart that never crashed costs nothing here; and at
//! most [`MOST`] carts are remembered.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pulse_core::CartId;
use tokio::time::Instant;

/// Crashes in a row that are taken for bad luck.
const FREE: u32 = 2;
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
/// Carts remembered at most; beyond it those whose time is over are forgotten, and others not taken up.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Backoff {
    /// The map's size: calls of a healthy fleet look no further.
    len: AtomicUsize,
    troubles: Mutex<HashMap<CartId, Trouble>>,
}

#[derive(Debug)]
struct Trouble {
    crashes: u32,
    until: Instant,
}

impl Backoff {
    /// How long the cart is still to be left alone.
    pub(crate) fn wait(&self, cart: CartId) -> Option<Duration> {
        if self.len() == 0 {
            return None;
        }
        let until = self.lock().get(&cart)?.until;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// The cart crashed with a message in its hands.
    pub(crate) fn crashed(&self, cart: CartId) {
        let now = Instant::now();
        let mut troubles = self.lock();
        if troubles.len() >= MOST && !troubles.contains_key(&cart) {
            troubles.retain(|_, trouble| now < trouble.until);
            if troubles.len() >= MOST {
                return;
            }
        }
        let trouble = troubles.entry(cart).or_insert(Trouble { crashes: 0, until: now });
        trouble.crashes = trouble.crashes.saturating_add(1);
        if let Some(beyond) = trouble.crashes.checked_sub(FREE + 1) {
            trouble.until = now + FIRST.saturating_mul(1 << beyond.min(16)).min(LONGEST);
        }
        self.len.store(troubles.len(), Ordering::Relaxed);
    }

    /// The cart answered.
    pub(crate) fn answered(&self, cart: CartId) {
        if self.len() > 0 {
            let mut troubles = self.lock();
            troubles.remove(&cart);
            self.len.store(troubles.len(), Ordering::Relaxed);
        }
    }

    /// How many carts are remembered.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CartId, Trouble>> {
        self.troubles.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
