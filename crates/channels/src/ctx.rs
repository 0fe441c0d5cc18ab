//! What a channel sees of its socket, its topic and its runtime.
//!
//! Invariant: nothing here waits for the client.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use otp::{Addr, Exit, PubSub, ServerRef, TimerRef};

use crate::broadcast::Broadcaster;
use crate::channel::Channel;
use crate::endpoint::Shared;
use crate::outbox::{Out, Outbox};
use crate::payload::Payload;
use crate::server::{ChannelServer, Msg};
use crate::stats::count;
use crate::wire::{self, EncodeError, Frame, Status};

/// What stays the same over a channel's life.
pub(crate) struct Link<C: Channel> {
    pub(crate) topic: Arc<str>,
    pub(crate) join_ref: Option<Arc<str>>,
    pub(crate) outbox: Outbox,
    pub(crate) assigns: Arc<C::Assigns>,
    pub(crate) context: Arc<C::Context>,
    pub(crate) shared: Arc<Shared>,
}

/// A channel's view of its socket and its runtime.
pub struct Ctx<'a, C: Channel> {
    pub(crate) link: &'a Link<C>,
    pub(crate) server: &'a mut otp::Ctx<ChannelServer<C>>,
    /// The ref of the message that is being handled, until it is answered.
    pub(crate) reference: Option<Box<str>>,
}

impl<C: Channel> Ctx<'_, C> {
    /// The topic that was joined.
    pub fn topic(&self) -> &str {
        &self.link.topic
    }

    /// What the socket's `connect` returned.
    pub fn assigns(&self) -> &C::Assigns {
        &self.link.assigns
    }

    /// What the application mounted this kind of channel with.
    pub fn context(&self) -> &Arc<C::Context> {
        &self.link.context
    }

    /// Sends to this client alone.
    pub fn push(&self, event: &str, payload: impl Into<Payload>) {
        let payload = payload.into();
        let frame = wire::push(self.link.join_ref.as_deref(), &self.link.topic, event, &payload);
        send(&self.link.shared, &self.link.outbox, frame);
    }

    /// Sends to all who joined this topic, this client included; how many have it in their queue.
    pub fn broadcast(&self, event: &str, payload: impl Into<Payload>) -> usize {
        self.spread(event, &payload.into(), None)
    }

    /// Sends to all who joined this topic but this client.
    pub fn broadcast_from(&self, event: &str, payload: impl Into<Payload>) -> usize {
        self.spread(event, &payload.into(), Some(self.server.id()))
    }

    /// Sends to other topics.
    pub fn broadcaster(&self) -> &Broadcaster {
        &self.link.shared.broadcaster
    }

    fn spread(&self, event: &str, payload: &Payload, except: Option<otp::ServerId>) -> usize {
        match self.link.shared.broadcaster.send(&self.link.topic, event, payload, except) {
            Ok(delivered) => delivered,
            Err(error) => {
                report_unsendable(&self.link.shared, error);
                0
            }
        }
    }

    /// Takes the duty to answer the message at hand, to do so later or elsewhere; `None` if no answer is wanted.
    /// What the handler returns is then no answer any more.
    pub fn reply_later(&mut self) -> Option<ReplyTo> {
        let reference = self.reference.take()?;
        Some(ReplyTo {
            reference,
            topic: self.link.topic.clone(),
            join_ref: self.link.join_ref.clone(),
            outbox: self.link.outbox.clone(),
            shared: self.link.shared.clone(),
        })
    }

    /// Ends the channel after this message: `phx_close` for a normal end, `phx_error` for a failure.
    pub fn stop(&mut self, reason: Exit) {
        self.server.stop(reason);
    }

    /// The channel's own address: send it `Msg::Info(…)`.
    pub fn addr(&self) -> &Addr<Msg<C>> {
        self.server.addr()
    }

    /// Sends an info to this channel after a delay.
    pub fn send_after(&mut self, delay: Duration, info: C::Info) -> TimerRef {
        self.server.send_after(delay, Msg::Info(info))
    }

    /// Sends an info to this channel, behind what it has been sent already. Lost if its mailbox is full.
    pub fn send_self(&mut self, info: C::Info) {
        self.server.send_after(Duration::ZERO, Msg::Info(info));
    }

    /// The next message of the server's side, if it waits already and nothing of the client's waits before it: for a
    /// [`handle_info`](Channel::handle_info) that does the work of a burst at once.
    pub fn next_info(&mut self) -> Option<C::Info> {
        match self.server.next_if(|next| matches!(next, Msg::Info(_)))? {
            Msg::Info(info) => Some(info),
            Msg::Wire(_) => None,
        }
    }

    /// Gets the payloads of a topic as infos until the channel ends.
    pub fn subscribe<T, P>(
        &self,
        pubsub: &PubSub<T, P>,
        topic: T,
        wrap: impl Fn(Arc<P>) -> C::Info + Send + Sync + 'static,
    ) where
        T: Clone + Eq + Hash + Send + Sync + 'static,
        P: Send + Sync + 'static,
    {
        pubsub.subscribe(topic, self.server.addr(), move |payload| Msg::Info(wrap(payload)));
    }

    /// Gets an info when another server is dead; see [`otp::Ctx::monitor`].
    pub fn monitor(
        &mut self,
        target: impl Into<ServerRef>,
        info: impl FnOnce(otp::Down) -> C::Info + Send + 'static,
    ) -> otp::Monitor {
        self.server.monitor(target, move |down| Msg::Info(info(down)))
    }
}

/// The duty to answer one push. Dropped without an answer, the client's push times out.
#[must_use = "the client waits for its answer"]
#[derive(Debug)]
pub struct ReplyTo {
    reference: Box<str>,
    topic: Arc<str>,
    join_ref: Option<Arc<str>>,
    outbox: Outbox,
    shared: Arc<Shared>,
}

impl ReplyTo {
    /// Done.
    pub fn ok(self, response: impl Into<Payload>) {
        self.send(Status::Ok, &response.into());
    }

    /// Not done.
    pub fn error(self, response: impl Into<Payload>) {
        self.send(Status::Error, &response.into());
    }

    fn send(self, status: Status, response: &Payload) {
        let frame = wire::reply(self.join_ref.as_deref(), &self.reference, &self.topic, status, response);
        send(&self.shared, &self.outbox, frame);
    }
}

/// Queues an encoded frame, or counts that it is none.
pub(crate) fn send(shared: &Shared, outbox: &Outbox, frame: Result<Frame, EncodeError>) {
    match frame {
        Ok(frame) => outbox.send(Out::Frame(frame)),
        Err(error) => report_unsendable(shared, error),
    }
}

pub(crate) fn report_unsendable(shared: &Shared, error: EncodeError) {
    count(&shared.counters.unsendable);
    tracing::error!(%error, "message can't be sent");
}
