//! Who is in the shop now: visitors with an open page of it.
//!
//! **Invariant.** A visitor is counted once, however many tabs are open, and as long as one of them is connected: each
//! tab holds a [`Here`], and the last one that is dropped takes the visitor away.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use pulse_core::CartId;

/// Visitors by the cart that they fill, each with its open pages. Bounded by the sockets that this node takes. Cheap to
/// clone; clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shoppers {
    pages: Arc<Mutex<HashMap<CartId, usize>>>,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Present {
    /// Visitors.
    pub(crate) visitors: usize,
    /// Their open pages.
    pub(crate) pages: usize,
}

/// An open page of a visitor; its view keeps it.
#[derive(Debug)]
pub(crate) struct Here {
    shoppers: Shoppers,
    who: CartId,
}

impl Shoppers {
    /// One more page of a visitor is open, until the answer is dropped.
    pub(crate) fn enter(&self, who: CartId) -> Here {
        *self.pages.lock().entry(who).or_default() += 1;
        Here { shoppers: self.clone(), who }
    }

    /// O(visitors).
    pub(crate) fn present(&self) -> Present {
        let pages = self.pages.lock();
        Present { visitors: pages.len(), pages: pages.values().sum() }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let mut pages = self.shoppers.pages.lock();
        if let Some(count) = pages.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                pages.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_of_several_tabs_is_one_and_leaves_with_the_last() {
        let shoppers = Shoppers::default();
        let (ann, bob) = (CartId(1), CartId(2));
        let first = shoppers.enter(ann);
        let second = shoppers.enter(ann);
        let other = shoppers.enter(bob);
        assert_eq!(shoppers.present(), Present { visitors: 2, pages: 3 });
        drop(first);
        assert_eq!(shoppers.present(), Present { visitors: 2, pages: 2 });
        drop(second);
        assert_eq!(shoppers.present(), Present { visitors: 1, pages: 1 });
        drop(other);
        assert_eq!(shoppers.present(), Present::default());
        assert!(shoppers.pages.lock().is_empty(), "nothing is kept of who is gone");
    }
}
