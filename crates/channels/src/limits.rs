//! Bounds of a socket, and the bucket that measures rates.
//!
//! Invariant: each bound has an answer that names it and a counter in [`Stats`](crate::Stats).

use std::time::Duration;

use tokio::time::Instant;

/// What one socket, and one endpoint, may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Sockets open at once. Over it: 503 with Retry-After.
    pub sockets: usize,
    /// Bytes of a message. Over it: close code 1009.
    pub message_bytes: usize,
    /// Topics joined at once on a socket. Over it: the error reply `too many channels joined`.
    pub channels: usize,
    /// Joins a second, over a burst of as many. Over it: the error reply `too many joins`.
    pub joins_per_second: u32,
    /// Messages a second, over a burst of as many; heartbeats too. Over it: close code 1008, `too many messages`.
    pub messages_per_second: u32,
    /// Messages that wait for a channel that is busy. Over it: the error reply `overloaded`.
    pub channel_mailbox: u32,
    /// Frames that wait for a client that does not read. Over it: disconnected.
    pub outgoing_frames: u32,
    /// Bytes of those frames. Over it: disconnected, unless it is one frame alone.
    pub outgoing_bytes: usize,
    /// A socket that sent nothing for so long is closed with 1001, `idle`. Clients send a heartbeat every 30 s.
    pub idle: Duration,
    /// A join that takes longer is answered `join timeout`.
    pub join: Duration,
    /// How long a channel may take to end before it is killed.
    pub terminate: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sockets: 20_000,
            message_bytes: 64 * 1024,
            channels: 100,
            joins_per_second: 50,
            messages_per_second: 500,
            channel_mailbox: 256,
            outgoing_frames: 1_000,
            outgoing_bytes: 1024 * 1024,
            idle: Duration::from_mins(1),
            join: Duration::from_secs(30),
            terminate: Duration::from_secs(5),
        }
    }
}

/// A token bucket that holds one second's worth.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// When the bucket, if left alone, is full again.
    full_at: Instant,
}

impl Bucket {
    pub(crate) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant, per_second: u32) -> bool {
        let second = Duration::from_secs(1);
        let cost = second / per_second.max(1);
        let full_at = self.full_at.max(now) + cost;
        let there_is_one = full_at <= now + second;
        if there_is_one {
            self.full_at = full_at;
        }
        there_is_one
    }
}
