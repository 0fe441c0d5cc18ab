//! The back office: figures, products, orders, the audit trail.
//!
//! **Invariant.** Who works here sees it; what may be done is decided by the contexts, action by action.

use live::LiveSession;

use super::visitor::Visitors;

/// The views of this group.
pub(crate) fn views(group: LiveSession<Visitors>) -> LiveSession<Visitors> {
    group
}
