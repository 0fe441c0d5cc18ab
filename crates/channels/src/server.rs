//! One joined topic as a supervised server: drives the application's [`Channel`].
//!
//! Invariant: a channel answers its join exactly once, before anything else it sends; a predecessor on the same socket
//! and topic is dead before its join begins.

use std::sync::Arc;

use otp::{Exit, GenServer, ServerRef};

use crate::channel::{Answer, Channel, Join, Joined, Push, PushBody};
use crate::ctx::{self, Ctx, Link};
use crate::outbox::Out;
use crate::payload::Payload;
use crate::stats::count;
use crate::wire::{self, Status};

/// What a channel's server is sent.
pub enum Msg<C: Channel> {
    /// A message of the server's side, for [`Channel::handle_info`].
    Info(C::Info),
    /// A message of the transport.
    #[doc(hidden)]
    Wire(Wire),
}

/// A message of the socket to its channel.
#[doc(hidden)]
pub struct Wire(pub(crate) Command);

pub(crate) enum Command {
    /// The first message of all.
    Join(Box<JoinCommand>),
    Push {
        reference: Option<Box<str>>,
        push: Push,
    },
    Leave {
        reference: Option<Box<str>>,
    },
}

pub(crate) struct JoinCommand {
    pub(crate) reference: Box<str>,
    pub(crate) payload: PushBody,
    /// The channel that had this topic on this socket.
    pub(crate) predecessor: Option<ServerRef>,
}

/// The server of one channel.
pub(crate) struct ChannelServer<C: Channel> {
    link: Link<C>,
    /// None before the join is accepted.
    channel: Option<C>,
}

impl<C: Channel> GenServer for ChannelServer<C> {
    type Args = Link<C>;
    type Msg = Msg<C>;

    async fn init(link: Link<C>, _ctx: &mut otp::Ctx<Self>) -> Result<Self, Exit> {
        Ok(Self { link, channel: None })
    }

    async fn handle(&mut self, msg: Msg<C>, server: &mut otp::Ctx<Self>) {
        match msg {
            Msg::Info(info) => {
                let Some(channel) = &mut self.channel else { return };
                let mut ctx = Ctx { link: &self.link, server, reference: None };
                channel.handle_info(info, &mut ctx).await;
            }
            Msg::Wire(Wire(Command::Push { reference, push })) => {
                let Some(channel) = &mut self.channel else { return };
                let mut ctx = Ctx { link: &self.link, server, reference };
                let answer = channel.handle_in(push, &mut ctx).await;
                let reference = ctx.reference;
                self.answer(reference.as_deref(), answer);
            }
            Msg::Wire(Wire(Command::Leave { reference })) => {
                self.answer(reference.as_deref(), Answer::Ok(Payload::empty()));
                server.stop(Exit::Normal);
            }
            Msg::Wire(Wire(Command::Join(join))) => Box::pin(self.join(join, server)).await,
        }
    }

    async fn terminate(&mut self, reason: &Exit, server: &mut otp::Ctx<Self>) {
        if let Some(channel) = &mut self.channel {
            let mut ctx = Ctx { link: &self.link, server, reference: None };
            channel.terminate(reason, &mut ctx).await;
        }
    }
}

impl<C: Channel> ChannelServer<C> {
    async fn join(&mut self, command: Box<JoinCommand>, server: &mut otp::Ctx<Self>) {
        let JoinCommand { reference, payload, predecessor } = *command;
        let shared = &self.link.shared;
        if let Some(predecessor) = predecessor {
            // Not found: it is dead already. Leaked: it was reported, and waiting longer helps nobody.
            let _ = shared.channels.terminate_child(&predecessor).await;
        }
        let id = server.id();
        let join = Join { topic: self.link.topic.clone(), payload };
        let mut ctx = Ctx { link: &self.link, server, reference: None };
        let decided = tokio::time::timeout(shared.limits.join, C::join(join, &mut ctx)).await;
        let (status, response) = match decided {
            Ok(Ok(Joined { channel, response })) => {
                self.channel = Some(channel);
                (Status::Ok, response)
            }
            Ok(Err(refused)) => (Status::Error, refused.0),
            Err(_) => (Status::Error, Payload::reason("join timeout")),
        };
        let accepted = status == Status::Ok;
        if accepted {
            count(&shared.counters.joins);
            let outbox = self.link.outbox.clone();
            let topics = shared.broadcaster.topics();
            topics.subscribe(self.link.topic.clone(), self.link.outbox.addr(), move |all| outbox.wrap(all));
        } else {
            count(&shared.counters.joins_refused);
            server.stop(Exit::Normal);
        }
        match wire::reply(self.link.join_ref.as_deref(), &reference, &self.link.topic, status, &response) {
            Ok(reply) => self.link.outbox.send(Out::Joined { channel: id, accepted, reply }),
            Err(error) => {
                ctx::report_unsendable(shared, error);
                server.stop(Exit::crash(error));
            }
        }
    }

    fn answer(&self, reference: Option<&str>, answer: Answer) {
        let (status, response) = match answer {
            Answer::None => return,
            Answer::Ok(response) => (Status::Ok, response),
            Answer::Error(response) => {
                count(&self.link.shared.counters.refused_messages);
                (Status::Error, response)
            }
        };
        let Some(reference) = reference else { return };
        let Link { join_ref, topic, shared, outbox, .. } = &self.link;
        ctx::send(shared, outbox, wire::reply(join_ref.as_deref(), reference, topic, status, &response));
    }
}

impl<C: Channel> std::fmt::Debug for Msg<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Info(_) => "Info(..)",
            Self::Wire(_) => "Wire(..)",
        })
    }
}

/// A running channel as its socket sees it: without its type.
pub(crate) trait Running: Send {
    /// Hands a message over; false if the mailbox is full. A dead channel takes everything.
    fn deliver(&self, command: Command) -> bool;
    fn server(&self) -> ServerRef;
}

impl<C: Channel> Running for otp::Addr<Msg<C>> {
    fn deliver(&self, command: Command) -> bool {
        !matches!(self.try_cast(Msg::Wire(Wire(command))), Err(otp::TryCastError::Full(_)))
    }

    fn server(&self) -> ServerRef {
        self.server_ref()
    }
}

/// A shared `str` of a ref.
pub(crate) fn shared_ref(reference: Option<std::borrow::Cow<'_, str>>) -> Option<Arc<str>> {
    reference.map(|text| Arc::from(&*text))
}
