//! Why a cart did not do what it was asked.
//!
//! **Invariant.** A refusal has changed nothing. After a store's failure the outcome is unknown, and repeating the
//! command under the same id is safe.

use pulse_core::cart::CartError;
use pulse_core::ports::StoreError;

/// Why a cart did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CartFailure {
    /// The cart does not allow it.
    #[error(transparent)]
    Refused(#[from] CartError),
    /// The store failed: repeat the command with the same id.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Other owners of this cart were faster, again and again. Nothing was changed: try again.
    #[error("this cart is being changed by several owners at once: try again")]
    Contended,
}
