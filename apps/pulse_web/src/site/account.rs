//! What belongs to one's account: details, orders, returns.
//!
//! **Invariant.** Nobody sees these without having signed in, and nobody another's.

use live::LiveSession;

use super::visitor::Visitors;

/// The views of this group.
pub(crate) fn views(group: LiveSession<Visitors>) -> LiveSession<Visitors> {
    group
}
