//! Which request a thread is working for, so that a log line can say so.
//!
//! **Invariant.** A scope is entered for one poll of a request's future and left when that poll ends, by a panic too;
//! so a thread never carries the tags of a request that it no longer works for. Entering moves a few words: no
//! allocation, no lock. A span costs ten times as much, and most requests write no line at all.

use std::cell::RefCell;

use axum::extract::MatchedPath;

use crate::TraceId;

/// What a log line says of the request under which it was written.
#[derive(Debug, Clone)]
pub(crate) struct RequestTags {
    pub(crate) trace: TraceId,
    pub(crate) method: &'static str,
    pub(crate) route: Option<MatchedPath>,
}

thread_local! {
    static CURRENT: RefCell<Option<RequestTags>> = const { RefCell::new(None) };
}

/// Until it is dropped, this thread works for the request. The tags go back to where they came from.
pub(crate) struct Scope<'a>(&'a mut Option<RequestTags>);

impl<'a> Scope<'a> {
    pub(crate) fn enter(tags: &'a mut Option<RequestTags>) -> Self {
        swap(tags);
        Self(tags)
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        swap(self.0);
    }
}

/// What stands in `tags` becomes current, what was current stands in `tags`: scopes can lie in each other.
fn swap(tags: &mut Option<RequestTags>) {
    // Gone while a thread ends, and borrowed only inside this module.
    let _ = CURRENT.try_with(|current| {
        if let Ok(mut current) = current.try_borrow_mut() {
            std::mem::swap(&mut *current, tags);
        }
    });
}

/// Reads the tags of the request that this thread works for.
pub(crate) fn current<R>(read: impl FnOnce(&RequestTags) -> R) -> Option<R> {
    CURRENT.try_with(|current| current.try_borrow().ok()?.as_ref().map(read)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn tags(trace: u128) -> RequestTags {
        RequestTags { trace: TraceId(trace), method: "GET", route: None }
    }

    fn trace() -> Option<u128> {
        current(|tags| tags.trace.0)
    }

    #[test]
    fn scopes_lie_in_each_other() {
        let (mut outer, mut inner) = (Some(tags(1)), Some(tags(2)));
        let entered = Scope::enter(&mut outer);
        {
            let _entered = Scope::enter(&mut inner);
            assert_eq!(trace(), Some(2));
        }
        assert_eq!(trace(), Some(1));
        drop(entered);
        assert_eq!(trace(), None);
        assert!(outer.is_some() && inner.is_some());
    }

    #[test]
    fn a_panic_leaves_the_scope() {
        let mut request = Some(tags(1));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _entered = Scope::enter(&mut request);
            panic!("a test's panic");
        }));
        assert!(panicked.is_err());
        assert_eq!((trace(), request.is_some()), (None, true));
    }
}
