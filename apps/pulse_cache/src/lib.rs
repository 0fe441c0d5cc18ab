//! Read-through caches over the store.
//!
//! **Invariant.** Whoever asks after a change was announced never gets a value that was loaded before it; a cold
//! key is loaded once, however many ask; nothing grows without bound.
//!
//! [`ReadThrough`] is the mechanism, [`CatalogueCache`] the shop's use of it: it wraps any
//! [`Catalogue`](pulse_core::ports::Catalogue) and is one itself.

mod catalogue;
mod generation;
mod read_through;
mod stats;

pub use catalogue::{CatalogueCache, CatalogueOptions, CatalogueStats};
pub use read_through::{Options, ReadThrough};
pub use stats::{CacheStats, LOAD_BOUNDS_MICROS};
