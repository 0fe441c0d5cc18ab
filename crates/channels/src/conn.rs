//! One open socket: reads messages, keeps its channels, writes what they and their topics send.
//!
//! Invariant: one task owns the WebSocket. While the client does not take what is written, nothing is read from it; so a
//! client can't make the server hold more than the bounded queue and one message.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use otp::{Exit, Inbox};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::endpoint::Service;
use crate::limits::Bucket;
use crate::outbox::{Fill, Out, Outbox};
use crate::pieces::Pieces;
use crate::seats::Seats;
use crate::socket::Socket;
use crate::stats::count;
use crate::websocket::WebSocket;
use crate::wire::Frame;

/// Bytes taken from the queue before they are flushed.
const BATCH: usize = 64 * 1024;

/// Why a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The client went, or the network did.
    ByPeer,
    /// A drain, or somebody disconnected it.
    Away,
    /// Silent for too long.
    Idle,
    /// Does not read.
    Slow,
    /// Sends too many messages.
    Flood,
    /// A message over the limit.
    TooBig,
    /// A message that is none.
    Malformed,
    /// Not UTF-8.
    NotText,
}

impl Closed {
    /// What the client is told; it connects again after any code but 1000.
    fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::ByPeer => return None,
            Self::Away => (CloseCode::Away, "going away"),
            Self::Idle => (CloseCode::Away, "idle"),
            Self::Slow => (CloseCode::Again, "too slow"),
            Self::Flood => (CloseCode::Policy, "too many messages"),
            Self::TooBig => (CloseCode::Size, "message too big"),
            Self::Malformed => (CloseCode::Unsupported, "malformed message"),
            Self::NotText => (CloseCode::Invalid, "not UTF-8"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}

/// The task's own state.
struct Conn<S: Socket> {
    ws: WebSocket,
    inbox: Inbox<Out>,
    fill: Arc<Fill>,
    seats: Seats<S>,
    /// Looked at when it fires, not moved by every message.
    idle: Pin<Box<Sleep>>,
    heard: Instant,
    messages: Bucket,
    /// Frames were written and are not flushed.
    unflushed: bool,
}

/// Serves one socket until it is closed, then ends its channels.
pub(crate) async fn run<S: Socket>(
    service: Arc<Service<S>>,
    ws: WebSocket,
    assigns: S::Assigns,
    place: TaskTrackerToken,
) {
    let shared = service.shared.clone();
    // The bound is the fill; the queue itself has some room for what is counted but not refused.
    let (addr, inbox) = otp::inbox::<Out>(shared.limits.outgoing_frames.saturating_mul(2).max(64));
    let registered = shared.sockets.register(addr.id(), &addr).is_ok();
    debug_assert!(registered, "a new inbox runs and its id is its own");
    let fill = Fill::new(&shared.limits);
    let outbox = Outbox::new(addr.clone(), fill.clone());
    if let Some(name) = service.socket.id(&assigns) {
        let named = addr.clone();
        shared.named.subscribe(name.into(), &addr, move |_| {
            named.stop(Exit::Shutdown);
            Out::Disconnect
        });
    }
    if shared.draining.load(Ordering::SeqCst) {
        addr.stop(Exit::Shutdown);
    }
    let now = Instant::now();
    let mut conn = Box::new(Conn {
        ws,
        inbox,
        fill,
        seats: Seats::new(service, Arc::new(assigns), outbox),
        idle: Box::pin(tokio::time::sleep(shared.limits.idle)),
        heard: now,
        messages: Bucket::new(now),
        unflushed: false,
    });
    let closed = loop {
        match poll_fn(|cx| conn.poll(cx)).await {
            Ok(message) => {
                if let Err(closed) = conn.receive(message).await {
                    break closed;
                }
            }
            Err(closed) => break closed,
        }
    };
    let counters = &shared.counters;
    match closed {
        Closed::Idle => count(&counters.idle_sockets),
        Closed::Slow => count(&counters.slow_consumers),
        Closed::Flood => count(&counters.floods),
        Closed::TooBig => count(&counters.too_big),
        Closed::Malformed => count(&counters.malformed),
        Closed::NotText => count(&counters.not_text),
        Closed::ByPeer | Closed::Away => {}
    }
    let Conn { ws, seats, inbox, .. } = *conn;
    drop(inbox);
    seats.close();
    Box::pin(goodbye(ws, closed)).await;
    drop(place);
}

/// Tells the client why, if it still reads.
async fn goodbye(mut ws: WebSocket, closed: Closed) {
    let Some(frame) = closed.frame() else { return };
    let patience = std::time::Duration::from_secs(1);
    let farewell = async {
        if ws.send(Message::Close(Some(frame))).await.is_ok() {
            // The client's own close, or the end of the stream; whatever it says before is of no interest.
            while let Some(Ok(_)) = ws.next().await {}
        }
    };
    // A client that does not read is not waited for.
    let _ = tokio::time::timeout(patience, farewell).await;
}

impl<S: Socket> Conn<S> {
    /// Writes what there is, then waits for a message of the client.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Closed>> {
        if self.fill.has_overflowed() {
            return Poll::Ready(Err(Closed::Slow));
        }
        match self.poll_write(cx) {
            Poll::Ready(Err(closed)) => return Poll::Ready(Err(closed)),
            Poll::Ready(Ok(())) => match Pin::new(&mut self.ws).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => return Poll::Ready(Ok(message)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(reading_failed(&error))),
                Poll::Ready(None) => return Poll::Ready(Err(Closed::ByPeer)),
                Poll::Pending => {}
            },
            Poll::Pending => {}
        }
        self.poll_idle(cx).map(Err)
    }

    /// Ready when all is with the network and the queue is empty. Nothing is taken from the queue before what was taken is with
    /// the network: so the queue fills for a client that does not read, and is bounded.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        loop {
            if self.unflushed {
                ready!(Pin::new(&mut self.ws).poll_flush(cx)).map_err(|_| Closed::ByPeer)?;
                self.unflushed = false;
            }
            let mut batch = 0;
            while batch < BATCH {
                let out = match pin!(self.inbox.recv()).poll(cx) {
                    Poll::Ready(Some(out)) => out,
                    Poll::Ready(None) if self.fill.has_overflowed() => return Poll::Ready(Err(Closed::Slow)),
                    Poll::Ready(None) => return Poll::Ready(Err(Closed::Away)),
                    Poll::Pending if self.unflushed => break,
                    Poll::Pending => return Poll::Ready(Ok(())),
                };
                self.fill.remove(&out);
                for frame in self.seats.dispatch(out) {
                    batch += frame.len();
                    self.write(frame)?;
                }
            }
        }
    }

    /// Writes one frame, which the connection takes at once; it waits for the flush.
    fn write(&mut self, frame: Frame) -> Result<(), Closed> {
        let counters = &self.seats.shared().counters;
        count(&counters.frames_out);
        counters.bytes_out.fetch_add(frame.len() as u64, Ordering::Relaxed);
        self.unflushed = true;
        let mut ws = Pin::new(&mut self.ws);
        Pieces::of(frame).try_for_each(|piece| ws.as_mut().start_send(piece)).map_err(|_| Closed::ByPeer)
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        while self.idle.as_mut().poll(cx).is_ready() {
            let until = self.heard + self.seats.shared().limits.idle;
            if until <= Instant::now() {
                return Poll::Ready(Closed::Idle);
            }
            self.idle.as_mut().reset(until);
        }
        Poll::Pending
    }

    /// Handles one message of the client.
    async fn receive(&mut self, message: Message) -> Result<(), Closed> {
        self.heard = Instant::now();
        let limit = self.seats.shared().limits.messages_per_second;
        if !self.messages.take(self.heard, limit) {
            return Err(Closed::Flood);
        }
        match message {
            Message::Text(text) => self.seats.text(text).await,
            Message::Binary(data) => self.seats.binary(data).await,
            // Answered by tungstenite, which reads no bare frames.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                self.unflushed = true;
                Ok(())
            }
            Message::Close(_) => Err(Closed::ByPeer),
        }
    }
}

/// What a failed read means.
fn reading_failed(error: &Error) -> Closed {
    match error {
        Error::Capacity(_) => Closed::TooBig,
        Error::Utf8(_) => Closed::NotText,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Closed::ByPeer,
        Error::Protocol(_) => Closed::Malformed,
        _ => Closed::ByPeer,
    }
}
