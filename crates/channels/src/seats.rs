//! The channels of one socket: which join is current for a topic, and what a message of either side means for it.
//!
//! Invariant: a topic has at most one current channel; what belongs to an earlier join is dropped; every join is
//! answered, and every channel that was joined is closed to its client exactly once.

use std::sync::Arc;

use bytes::Bytes;
use otp::{Exit, ServerId, ServerRef};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::channel::{Push, PushBody};
use crate::conn::Closed;
use crate::ctx;
use crate::endpoint::{Service, Shared};
use crate::limits::Bucket;
use crate::outbox::{Out, Outbox};
use crate::payload::Payload;
use crate::router::Seat;
use crate::server::{Command, JoinCommand, Running, shared_ref};
use crate::socket::Socket;
use crate::stats::count;
use crate::wire::{self, EncodeError, Frame, Message, Status};

/// A current join.
struct Entry {
    topic: Arc<str>,
    join_ref: Option<Arc<str>>,
    /// The join's own ref, until it is answered.
    joining: Option<Box<str>>,
    channel: Box<dyn Running>,
    id: ServerId,
    /// Earlier joins of the topic whose client is told once this one is answered.
    replaced: Vec<Option<Arc<str>>>,
}

/// All of them, and what they share.
pub(crate) struct Seats<S: Socket> {
    service: Arc<Service<S>>,
    assigns: Arc<S::Assigns>,
    outbox: Outbox,
    /// Few: searched from the front.
    entries: Vec<Entry>,
    joins: Bucket,
}

impl<S: Socket> Seats<S> {
    pub(crate) fn new(service: Arc<Service<S>>, assigns: Arc<S::Assigns>, outbox: Outbox) -> Self {
        Self { service, assigns, outbox, entries: Vec::new(), joins: Bucket::new(Instant::now()) }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.service.shared
    }

    /// Handles a text message of the client.
    pub(crate) async fn text(&mut self, frame: Utf8Bytes) -> Result<(), Closed> {
        let message = wire::decode_text(frame.as_str()).map_err(|error| malformed(&error))?;
        let body = PushBody::of_text(&frame, message.payload);
        self.take(message, body).await;
        Ok(())
    }

    /// Handles a binary message of the client.
    pub(crate) async fn binary(&mut self, frame: Bytes) -> Result<(), Closed> {
        let message = wire::decode_client_binary(&frame).map_err(|error| malformed(&error))?;
        let body = PushBody::of_binary(&frame, message.payload);
        self.take(message, body).await;
        Ok(())
    }

    async fn take(&mut self, message: Message<'_>, body: PushBody) {
        count(&self.shared().counters.messages_in);
        if message.topic == wire::PHOENIX {
            // A heartbeat, or something that nobody knows; both are answered.
            let (status, response) = match &*message.event {
                wire::HEARTBEAT => (Status::Ok, Payload::empty()),
                _ => (Status::Error, Payload::reason("unmatched topic")),
            };
            self.reply(&message, status, &response);
            return;
        }
        if message.event == wire::JOIN {
            // Boxed: joins are rare, and their state shall not lie in every socket's task.
            return Box::pin(self.join(message, body)).await;
        }
        let Some(at) = self.entries.iter().position(|entry| *entry.topic == *message.topic) else {
            let gone = message.event == wire::LEAVE;
            let (status, response) = if gone {
                (Status::Ok, Payload::empty())
            } else {
                (Status::Error, Payload::reason("unmatched topic"))
            };
            self.reply(&message, status, &response);
            return;
        };
        let entry = &self.entries[at];
        if message.join_ref.is_some() && message.join_ref.as_deref() != entry.join_ref.as_deref() {
            count(&self.shared().counters.stale_messages);
            return;
        }
        let reference: Option<Box<str>> = message.reference.as_deref().map(Box::from);
        let command = match &*message.event {
            wire::LEAVE => Command::Leave { reference },
            event => Command::Push { reference, push: Push { event: event.into(), body } },
        };
        if !entry.channel.deliver(command) {
            count(&self.shared().counters.overloaded_channels);
            self.reply(&message, Status::Error, &Payload::reason("overloaded"));
        }
    }

    async fn join(&mut self, message: Message<'_>, payload: PushBody) {
        let shared = self.shared().clone();
        let known = self.entries.iter().position(|entry| *entry.topic == *message.topic);
        let refusal = if !self.joins.take(Instant::now(), shared.limits.joins_per_second) {
            count(&shared.counters.too_many_joins);
            Some("too many joins")
        } else if known.is_none() && self.entries.len() >= shared.limits.channels {
            count(&shared.counters.too_many_channels);
            Some("too many channels joined")
        } else {
            None
        };
        if let Some(reason) = refusal {
            return self.reply(&message, Status::Error, &Payload::reason(reason));
        }
        let topic: Arc<str> = message.topic.as_ref().into();
        let join_ref = shared_ref(message.join_ref.clone());
        let seat = Seat {
            topic: topic.clone(),
            join_ref: join_ref.clone(),
            outbox: self.outbox.clone(),
            assigns: self.assigns.clone(),
            shared: shared.clone(),
        };
        let Some(starting) = self.service.router.start(seat) else {
            count(&shared.counters.unmatched_topics);
            return self.reply(&message, Status::Error, &Payload::reason("unmatched topic"));
        };
        let Ok(channel) = starting.await else {
            return self.reply(&message, Status::Error, &Payload::reason("overloaded"));
        };
        let mut replaced = Vec::new();
        let mut predecessor: Option<ServerRef> = None;
        if let Some(old) = known.map(|at| self.entries.remove(at)) {
            let server = old.channel.server();
            server.stop(Exit::Shutdown);
            predecessor = Some(server);
            replaced = old.replaced;
            replaced.push(old.join_ref);
        }
        // A client that sends no ref can't be answered, but its join is one.
        let reference: Box<str> = message.reference.as_deref().unwrap_or_default().into();
        let command = JoinCommand { reference: reference.clone(), payload, predecessor };
        // The first message of a new mailbox has room.
        channel.deliver(Command::Join(Box::new(command)));
        let id = channel.server().id();
        self.entries.push(Entry { topic, join_ref, joining: Some(reference), channel, id, replaced });
    }

    /// What is to be written for what a channel, a topic or a death has sent.
    pub(crate) fn dispatch(&mut self, out: Out) -> Frames {
        match out {
            Out::Frame(frame) => frame.into(),
            Out::Broadcast(broadcast) => {
                let entry = self.entries.iter().find(|entry| *entry.topic == *broadcast.topic);
                // Before its own answer, a join has no part in its topic.
                match entry.filter(|entry| entry.joining.is_none() && Some(entry.id) != broadcast.except) {
                    Some(_) => broadcast.frame.clone().into(),
                    None => Frames::default(),
                }
            }
            Out::Joined { channel, accepted, reply } => {
                let Some(at) = self.position(channel) else { return Frames::default() };
                let entry = &mut self.entries[at];
                entry.joining = None;
                let closed = std::mem::take(&mut entry.replaced);
                let topic = entry.topic.clone();
                let mut frames = Frames::from(reply);
                frames.more = self.ends(&topic, &closed);
                if !accepted {
                    self.forget(at);
                }
                frames
            }
            Out::Ended { channel, failed } => {
                if failed {
                    count(&self.shared().counters.channel_crashes);
                }
                // The end of a channel that was replaced has been told already, or will be.
                let Some(at) = self.position(channel) else { return Frames::default() };
                let entry = self.forget(at);
                let join_ref = entry.join_ref.as_deref();
                let mut all = Vec::new();
                if let Some(reference) = &entry.joining {
                    let reason = Payload::reason(if failed { "join crashed" } else { "closed" });
                    all.extend(self.sendable(wire::reply(
                        join_ref,
                        reference,
                        &entry.topic,
                        Status::Error,
                        &reason,
                    )));
                } else {
                    all.extend(self.end(&entry.topic, join_ref, failed));
                }
                all.extend(self.ends(&entry.topic, &entry.replaced));
                Frames { first: None, more: all.into_iter() }
            }
            Out::Disconnect => Frames::default(),
        }
    }

    /// Asks all channels to end. Each does so in its own server.
    pub(crate) fn close(self) {
        for entry in &self.entries {
            entry.channel.server().stop(Exit::Shutdown);
        }
    }

    fn position(&self, channel: ServerId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.id == channel)
    }

    fn forget(&mut self, at: usize) -> Entry {
        let entry = self.entries.remove(at);
        self.shared().broadcaster.topics().unsubscribe(&*entry.topic, self.outbox.addr());
        entry
    }

    fn reply(&self, to: &Message<'_>, status: Status, response: &Payload) {
        let Some(reference) = to.reference.as_deref() else { return };
        let frame = wire::reply(to.join_ref.as_deref(), reference, &to.topic, status, response);
        ctx::send(self.shared(), &self.outbox, frame);
    }

    /// `phx_close` for joins that were replaced.
    fn ends(&self, topic: &str, closed: &[Option<Arc<str>>]) -> std::vec::IntoIter<Frame> {
        let frames: Vec<Frame> =
            closed.iter().filter_map(|join_ref| self.end(topic, join_ref.as_deref(), false)).collect();
        frames.into_iter()
    }

    /// The last message of a channel, which carries its join's ref twice.
    fn end(&self, topic: &str, join_ref: Option<&str>, failed: bool) -> Option<Frame> {
        let event = if failed { wire::ERROR } else { wire::CLOSE };
        self.sendable(wire::client_push(join_ref, join_ref, topic, event, &Payload::empty()))
    }

    fn sendable(&self, frame: Result<Frame, EncodeError>) -> Option<Frame> {
        frame.map_err(|error| ctx::report_unsendable(self.shared(), error)).ok()
    }
}

fn malformed(error: &wire::DecodeError) -> Closed {
    tracing::debug!(%error, "malformed message");
    Closed::Malformed
}

/// The frames that one event gives: mostly one, which then needs no allocation.
#[derive(Default)]
pub(crate) struct Frames {
    first: Option<Frame>,
    more: std::vec::IntoIter<Frame>,
}

impl From<Frame> for Frames {
    fn from(frame: Frame) -> Self {
        Self { first: Some(frame), ..Self::default() }
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        self.first.take().or_else(|| self.more.next())
    }
}
