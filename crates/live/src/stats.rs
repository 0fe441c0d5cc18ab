//! What the live pages of an application have done, for it to export.
//!
//! Invariant: every refusal and crash that this crate answers is counted here, once.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one `Live`, read all at once.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats { $($(#[$doc])* pub $name: u64,)* }

        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: Count,)* }

        impl Counters {
            pub(crate) fn read(&self) -> Stats {
                Stats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }

        impl Stats {
            /// Each counter with its name, in a fixed order: for an exporter.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counts! {
    /// Pages rendered over plain HTTP.
    dead_renders,
    /// Views that joined.
    mounts,
    /// Joins answered `stale`, so that the browser loads the page again. The next five say why, each a part of it.
    stale_joins,
    /// With a token that no key has signed for this browser: forged, another browser's, or its key was rotated out.
    forged_tokens,
    /// With a token that is older than it may be.
    expired_tokens,
    /// With a good token of another page, or for an address of another view.
    misplaced_tokens,
    /// Over a socket without a good CSRF proof.
    unproven_joins,
    /// Whose payload or address can't be understood.
    malformed_joins,
    /// Joins that a guard or the router refused or sent elsewhere.
    refused_joins,
    /// Events handled.
    events,
    /// Events that could not be understood.
    refused_events,
    /// Events for components that were gone.
    component_gone,
    /// Messages of the server's own handled by views.
    infos,
    /// Renders of connected views: a burst of messages shares one.
    renders,
    /// Looks for a piece that pages share that found it.
    shared_hits,
    /// Those that had to render it.
    shared_misses,
    /// Pieces thrown out for another one at their place. Where these are about as many as the misses and hits are few, the
    /// pages show more alike than there is room for.
    shared_evictions,
    /// Diffs sent.
    diffs,
    /// Bytes of these diffs.
    diff_bytes,
    /// Views that panicked, in a dead render or connected.
    crashes,
    /// Async tasks of views that panicked.
    async_crashes,
    /// Async tasks refused because a view had too many.
    async_refused,
    /// Views connected now.
    connected,
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn less(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
