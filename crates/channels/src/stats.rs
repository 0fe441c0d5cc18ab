//! What an endpoint has done so far.
//!
//! Invariant: counters only grow, but for `sockets` and `channels`, which are read off the things themselves.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Figures of an endpoint, for its metrics.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats {
            /// Open sockets.
            pub sockets: u64,
            /// Running channels.
            pub channels: u64,
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Stats {
            /// Each counter with its name, in a fixed order, without `sockets` and `channels`: for an exporter.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)+].into_iter()
            }
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)+
        }

        impl Counters {
            pub(crate) fn read(&self, sockets: usize, channels: usize) -> Stats {
                Stats {
                    sockets: sockets as u64,
                    channels: channels as u64,
                    $($name: self.$name.load(Ordering::Relaxed),)+
                }
            }
        }
    };
}

counters! {
    /// Connections upgraded.
    connects,
    /// Upgrades refused because of their origin.
    refused_origin,
    /// Upgrades refused because of their version or form.
    refused_version,
    /// Upgrades refused by the application.
    refused_connect,
    /// Upgrades refused because there are as many sockets as there may be, or because of a drain.
    refused_sockets,
    /// Messages of clients that were understood.
    messages_in,
    /// Frames given to the network.
    frames_out,
    /// Bytes of those frames.
    bytes_out,
    /// Joins accepted.
    joins,
    /// Joins refused by their channel.
    joins_refused,
    /// Joins of a topic that nobody serves.
    unmatched_topics,
    /// Joins over the limit a socket.
    too_many_channels,
    /// Joins over the rate.
    too_many_joins,
    /// Sockets closed for sending too many messages.
    floods,
    /// Sockets closed for a message that is too big.
    too_big,
    /// Sockets closed for a message that is none.
    malformed,
    /// Sockets closed for a text that is not UTF-8.
    not_text,
    /// Messages that their channel answered with an error: an unknown event, a payload that does not fit it.
    refused_messages,
    /// Messages refused because their channel was busy.
    overloaded_channels,
    /// Sockets closed because their client did not read.
    slow_consumers,
    /// Sockets closed because their client was silent.
    idle_sockets,
    /// Messages of an earlier join, dropped.
    stale_messages,
    /// Channels that crashed.
    channel_crashes,
    /// Messages whose encoding failed: a topic or event that is too long.
    unsendable,
}

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
