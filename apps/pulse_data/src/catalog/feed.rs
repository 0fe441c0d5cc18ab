//! Tells who keeps copies of the catalogue which products have changed.
//!
//! **Invariant.** A change is told after its commit, never before, so whoever loads upon hearing of it sees it. A
//! listener that falls behind is told how much it missed ([`Lagged`]) and must then forget everything it keeps.
//!
//! [`Lagged`]: tokio::sync::broadcast::error::RecvError::Lagged

use std::sync::Arc;

use pulse_core::Sku;
use tokio::sync::broadcast;

/// Changes that are kept for a slow listener.
const KEPT: usize = 4096;

/// The stream of changed products; clones share it. `Catalog` and `Orders` of one shop hold the same one.
#[derive(Debug, Clone)]
pub struct Changes(broadcast::Sender<Arc<[Sku]>>);

impl Changes {
    /// A stream without listeners.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    /// Everything told from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Sku]>> {
        self.0.subscribe()
    }

    /// Tells all listeners; nothing where there are none or nothing has changed.
    pub(crate) fn tell(&self, skus: impl IntoIterator<Item = Sku>) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let skus: Arc<[Sku]> = skus.into_iter().collect();
        if !skus.is_empty() {
            // An error means that the last listener has just left.
            let _ = self.0.send(skus);
        }
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}
