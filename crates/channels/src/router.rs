//! Topics to kinds of channels.
//!
//! Invariant: the first pattern that matches wins; a topic that none matches is answered, not ignored.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use otp::{ServerRef, Shutdown, Spec, StartError};

use crate::channel::Channel;
use crate::ctx::Link;
use crate::endpoint::Shared;
use crate::outbox::{Out, Outbox};
use crate::server::{ChannelServer, Running};

/// A topic as it is mounted: exact, or a prefix that ends with `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Exact(String),
    Prefix(String),
}

impl Pattern {
    pub(crate) fn parse(pattern: &str) -> Self {
        match pattern.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.to_owned()),
            None => Self::Exact(pattern.to_owned()),
        }
    }

    fn matches(&self, topic: &str) -> bool {
        match self {
            Self::Exact(exact) => topic == exact,
            Self::Prefix(prefix) => topic.starts_with(prefix.as_str()),
        }
    }
}

/// What a new channel needs of its socket.
pub(crate) struct Seat<A> {
    pub(crate) topic: Arc<str>,
    pub(crate) join_ref: Option<Arc<str>>,
    pub(crate) outbox: Outbox,
    pub(crate) assigns: Arc<A>,
    pub(crate) shared: Arc<Shared>,
}

/// Why there is no channel.
#[derive(Debug)]
pub(crate) struct NotStarted;

type Starting = Pin<Box<dyn Future<Output = Result<Box<dyn Running>, NotStarted>> + Send>>;

/// Starts channels of one kind.
trait Kind<A>: Send + Sync {
    fn start(&self, seat: Seat<A>) -> Starting;
}

/// A kind of channel with the context that it was mounted with.
struct Mounted<C: Channel>(Arc<C::Context>);

impl<C: Channel> Kind<C::Assigns> for Mounted<C> {
    fn start(&self, seat: Seat<C::Assigns>) -> Starting {
        let Seat { topic, join_ref, outbox, assigns, shared } = seat;
        let context = self.0.clone();
        let link =
            Link::<C> { topic, join_ref, outbox: outbox.clone(), assigns, context, shared: shared.clone() };
        Box::pin(async move {
            let spec = Spec::<ChannelServer<C>>::temporary(link)
                .capacity(shared.limits.channel_mailbox)
                .shutdown(Shutdown::After(shared.limits.terminate));
            let started: Result<_, StartError<_>> = shared.channels.start_child(spec).await;
            let addr = started.map_err(|error| {
                tracing::warn!(%error, "channel not started");
                NotStarted
            })?;
            watch(&addr.server_ref(), &addr, outbox);
            Ok(Box::new(addr) as Box<dyn Running>)
        })
    }
}

/// Tells the socket when the channel is dead.
fn watch<M: Send + 'static>(server: &ServerRef, addr: &otp::Addr<M>, outbox: Outbox) {
    let channel = server.id();
    addr.monitor(move |down| outbox.send(Out::Ended { channel, failed: down.reason.is_failure() })).keep();
}

/// All that is mounted on an endpoint.
pub(crate) struct Router<A> {
    kinds: Vec<(Pattern, Box<dyn Kind<A>>)>,
}

impl<A: Send + Sync + 'static> Router<A> {
    pub(crate) fn new() -> Self {
        Self { kinds: Vec::new() }
    }

    pub(crate) fn mount<C: Channel<Assigns = A>>(&mut self, pattern: &str, context: Arc<C::Context>) {
        self.kinds.push((Pattern::parse(pattern), Box::new(Mounted::<C>(context))));
    }

    /// Starts the channel of a topic; `None` if nobody serves it.
    pub(crate) fn start(&self, seat: Seat<A>) -> Option<Starting> {
        let (_, kind) = self.kinds.iter().find(|(pattern, _)| pattern.matches(&seat.topic))?;
        Some(kind.start(seat))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_rest_and_nothing_else_is_special() {
        let room = Pattern::parse("room:*");
        assert!(room.matches("room:1") && room.matches("room:") && !room.matches("rooms:1"));
        let lobby = Pattern::parse("lobby");
        assert!(lobby.matches("lobby") && !lobby.matches("lobby:1"));
        assert!(Pattern::parse("*").matches("anything"));
    }
}
