//! A piece of markup that many pages show: rendered once, and written once as the client's JSON.
//!
//! Invariant: on the wire it is what the same markup would be if each page had rendered it.

use std::sync::Arc;

use super::Rendered;
use crate::diff::Encoded;

/// Markup with its JSON. [`Page::shared`](crate::Page::shared) makes one, and finds it again for the next page.
#[derive(Debug)]
pub struct Shared {
    pub(crate) markup: Rendered,
    /// `None` where the markup leaves parts out: then no page can be sent it.
    pub(crate) encoded: Option<Encoded>,
}

impl Shared {
    /// Encodes the markup.
    pub fn new(markup: Rendered) -> Arc<Self> {
        let encoded = Encoded::of(&markup).ok();
        Arc::new(Self { markup, encoded })
    }
}
