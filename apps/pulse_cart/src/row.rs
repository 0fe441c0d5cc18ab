//! A cart's row, as far as its server knows it.
//!
//! **Invariant.** A known row was loaded or stored by this server and nothing has been in doubt since. It is taken out
//! before a save and comes back only when the save is durable; whatever cuts the save leaves it unknown.

use std::sync::Arc;

use pulse_core::cart::{Event, StoredCart};
use pulse_core::ports::{SaveError, StoreError};
use pulse_core::{CartId, Version};

use crate::{CartCounters, CartEnv};

/// What a server knows of its row.
#[derive(Debug, Default)]
pub(crate) struct Row {
    known: Option<Arc<StoredCart>>,
}

impl Row {
    /// The row; loaded where it is unknown, and where it is frozen: the checkout writes the same row.
    pub(crate) async fn current(&mut self, id: CartId, env: &CartEnv) -> Result<Arc<StoredCart>, StoreError> {
        if let Some(known) = self.known.as_ref().filter(|known| known.cart.freeze.is_none()) {
            return Ok(known.clone());
        }
        self.known = None;
        let loaded = Arc::new(load(id, env).await?);
        self.known = Some(loaded.clone());
        Ok(loaded)
    }

    /// Forgets the row, so that a save can change it in place.
    pub(crate) fn forget(&mut self) {
        self.known = None;
    }

    /// Stores what the row shall be over the version that it was made of. Changes are known only once they are durable.
    pub(crate) async fn save(
        &mut self,
        id: CartId,
        over: Version,
        next: Arc<StoredCart>,
        env: &CartEnv,
    ) -> Result<Arc<StoredCart>, SaveError> {
        self.known = None;
        match env.store.save(id, over, &next).await {
            Ok(()) => {
                CartCounters::count(&env.counters.stored);
                self.known = Some(next.clone());
                Ok(next)
            }
            Err(SaveError::Fenced) => {
                CartCounters::count(&env.counters.fenced);
                Err(SaveError::Fenced)
            }
            Err(SaveError::Store(error)) => Err(failed(env, error).into()),
        }
    }
}

async fn read(id: CartId, env: &CartEnv) -> Result<StoredCart, StoreError> {
    CartCounters::count(&env.counters.loaded);
    let row = env.store.load(id).await.map_err(|error| failed(env, error))?;
    Ok(row.unwrap_or_default())
}

/// Reads the row. A frozen one may be older than the order that its checkout has just placed, so the orders are
/// asked: placed means that the row is to be read again. One that is frozen even then was frozen by a repeat of the
/// checkout after its order; what was put in since stays, and the cart is open.
async fn load(id: CartId, env: &CartEnv) -> Result<StoredCart, StoreError> {
    let row = read(id, env).await?;
    let Some(freeze) = &row.cart.freeze else { return Ok(row) };
    let placed = env.orders.find(&freeze.key).await.map_err(|error| failed(env, error))?;
    if placed.is_none_or(|order| order.cart != id) {
        return Ok(row);
    }
    let mut again = read(id, env).await?;
    if again.version == row.version {
        again.cart.apply(&Event::Thawed);
    }
    Ok(again)
}

fn failed(env: &CartEnv, error: StoreError) -> StoreError {
    CartCounters::count(&env.counters.store_failed);
    error
}
