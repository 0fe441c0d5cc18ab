//! The queue of a socket: what channels and topics send and one client reads.
//!
//! Invariant: at most so many frames and bytes wait. Whoever would exceed it stops the socket instead; nobody who
//! sends ever waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use otp::{Addr, Exit, ServerId};

use crate::broadcast::Broadcast;
use crate::limits::Limits;
use crate::wire::Frame;

/// What a socket's task is told.
#[derive(Debug)]
pub(crate) enum Out {
    /// To be written as it is.
    Frame(Frame),
    /// Of a topic; written if its channel is joined.
    Broadcast(Arc<Broadcast>),
    /// A channel's join is decided.
    Joined { channel: ServerId, accepted: bool, reply: Frame },
    /// A channel's server is dead.
    Ended { channel: ServerId, failed: bool },
    /// Somebody disconnected the socket, which has been stopped before it sees this. Takes no room.
    Disconnect,
}

impl Out {
    fn len(&self) -> usize {
        match self {
            Self::Frame(frame) | Self::Joined { reply: frame, .. } => frame.len(),
            Self::Broadcast(broadcast) => broadcast.frame.len(),
            Self::Ended { .. } | Self::Disconnect => 0,
        }
    }
}

/// The sending half. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    addr: Addr<Out>,
    fill: Arc<Fill>,
}

/// How full the queue is.
#[derive(Debug)]
pub(crate) struct Fill {
    frames: AtomicUsize,
    bytes: AtomicUsize,
    overflowed: AtomicBool,
    max_frames: usize,
    max_bytes: usize,
}

impl Fill {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            frames: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            overflowed: AtomicBool::new(false),
            max_frames: limits.outgoing_frames.max(1) as usize,
            max_bytes: limits.outgoing_bytes,
        })
    }

    /// Takes room for one more; false if that is too much.
    fn add(&self, bytes: usize) -> bool {
        let frames = self.frames.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let fits = frames <= self.max_frames && (bytes <= self.max_bytes || frames == 1);
        if !fits {
            self.overflowed.store(true, Ordering::Release);
        }
        fits
    }

    /// What was taken out of the queue.
    pub(crate) fn remove(&self, out: &Out) {
        if matches!(out, Out::Disconnect) {
            return;
        }
        self.frames.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(out.len(), Ordering::Relaxed);
    }

    /// Whether the client is too slow; for good.
    pub(crate) fn has_overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Acquire)
    }
}

impl Outbox {
    pub(crate) fn new(addr: Addr<Out>, fill: Arc<Fill>) -> Self {
        Self { addr, fill }
    }

    /// Queues it, or stops the socket because its client does not read. Nothing happens if the socket is gone.
    pub(crate) fn send(&self, out: Out) {
        if self.fill.add(out.len()) {
            // Gone, or full in the moment between counting and sending: then the socket is being stopped.
            let _ = self.addr.try_cast(out);
        } else {
            self.addr.stop(Exit::crash("the client does not read"));
        }
    }

    /// The message of a topic's subscription: accounts for it as [`send`](Self::send) does.
    pub(crate) fn wrap(&self, broadcast: Arc<Broadcast>) -> Out {
        let out = Out::Broadcast(broadcast);
        if !self.fill.add(out.len()) {
            self.addr.stop(Exit::crash("the client does not read"));
        }
        out
    }

    pub(crate) fn addr(&self) -> &Addr<Out> {
        &self.addr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> Out {
        Out::Frame(Frame::Binary(vec![0; bytes].into()))
    }

    #[test]
    fn the_queue_is_bounded_by_frames_and_by_bytes_but_takes_one_big_frame() {
        let limits = Limits { outgoing_frames: 3, outgoing_bytes: 100, ..Limits::default() };
        let fill = Fill::new(&limits);
        assert!(fill.add(500) && !fill.has_overflowed());
        fill.remove(&frame(500));
        assert!(fill.add(60) && fill.add(40) && !fill.add(1));
        assert!(fill.has_overflowed());

        let fill = Fill::new(&limits);
        assert!(fill.add(1) && fill.add(1) && fill.add(1) && !fill.add(1));
    }
}
