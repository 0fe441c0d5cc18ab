//! Live views on channels: the topic `lv:ID` of a socket is a view.
//!
//! Invariant: a push that wants an answer gets one, also when it can't be understood: an unanswered push makes the client
//! load the page again.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use channels::{
    Answer, Channel, Connect, Join, JoinRefused, Joined, Payload, Push, PushBody, RawPayload, Refused,
};
use serde::Deserialize;

use crate::connected::AnyView;
use crate::csrf::{self, BrowserId};
use crate::frames::{Diff, Frames, Outcome};
use crate::join::{JoinPayload, join};
use crate::live::{Inner, Live};
use crate::tree::Cid;

/// A message of the server's side to a view.
pub(crate) struct Wake(pub(crate) WakeKind);

pub(crate) enum WakeKind {
    /// Of the view's own message type.
    Info(Box<dyn Any + Send>),
    /// The message of a task that is done.
    Task { number: u64, info: Box<dyn Any + Send> },
}

impl Wake {
    pub(crate) fn info<I: Send + 'static>(info: I) -> channels::Msg<LiveChannel> {
        channels::Msg::Info(Self(WakeKind::Info(Box::new(info))))
    }

    pub(crate) fn task<I: Send + 'static>(number: u64, info: I) -> channels::Msg<LiveChannel> {
        channels::Msg::Info(Self(WakeKind::Task { number, info: Box::new(info) }))
    }
}

/// The socket of the live pages: `new LiveSocket("/live", …)`.
///
/// It accepts every browser of the right origin. One without a good CSRF proof finds its joins answered `stale`, so that
/// it loads the page again; a refused upgrade would leave it in a loop of reconnects.
#[derive(Clone, Debug)]
pub struct LiveSocket {
    live: Live,
}

impl channels::Socket for LiveSocket {
    type Assigns = Visitor;

    async fn connect(&self, connect: Connect) -> Result<Visitor, Refused> {
        let inner = &self.live.inner;
        let token = connect.param("_csrf_token").unwrap_or_default();
        Ok(Visitor { browser: csrf::proven(&inner.keys, inner.secure, &connect.headers, token) })
    }

    /// All sockets of one browser have one name: [`Endpoint::disconnect`](channels::Endpoint::disconnect) them when
    /// whoever uses it signs in or out.
    fn id(&self, visitor: &Visitor) -> Option<String> {
        visitor.browser.as_ref().map(|browser| browser.as_str().to_owned())
    }
}

/// Who is behind a live socket.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Absent without a good CSRF proof.
    browser: Option<BrowserId>,
}

impl Live {
    /// The socket with its channel, to which the application may add channels of its own before it starts it.
    pub fn endpoint(&self) -> channels::Builder<LiveSocket> {
        let socket = LiveSocket { live: self.clone() };
        channels::Endpoint::builder(socket).channel::<LiveChannel>("lv:*", self.inner.clone())
    }
}

/// A view as a channel.
pub(crate) struct LiveChannel {
    view: Box<dyn AnyView>,
}

impl Channel for LiveChannel {
    type Assigns = Visitor;
    type Context = Inner;
    type Info = Wake;

    async fn join(request: Join, ctx: &mut channels::Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        let live: Arc<Inner> = ctx.context().clone();
        let payload: JoinPayload<'_> = request.json().map_err(|error| {
            tracing::info!(%error, "join can't be understood");
            live.counters.stale_joins.one();
            live.counters.malformed_joins.one();
            JoinRefused::reason("stale")
        })?;
        let browser = ctx.assigns().browser.clone();
        let joined = join(&live, browser.as_ref(), request.subtopic(), &payload, ctx.addr().clone()).await;
        match joined {
            Ok((view, response)) => Ok(Joined::with(Self { view }, raw(response.into()))),
            Err(error) => Err(JoinRefused(RawPayload::from(error).into())),
        }
    }

    async fn handle_in(&mut self, push: Push, ctx: &mut channels::Ctx<'_, Self>) -> Answer {
        let refused = |reason| {
            ctx.context().counters.refused_events.one();
            Answer::error_reason(reason)
        };
        let PushBody::Json(payload) = push.body() else { return refused("binary payload") };
        match push.event() {
            "event" => {
                let frames = self.view.event(payload.as_str()).await;
                answered(frames, ctx)
            }
            "live_patch" => {
                let Ok(LivePatch { url }) = push.json() else { return refused("no url") };
                let frames = self.view.live_patch(&url).await;
                answered(frames, ctx)
            }
            // They may come back until they are destroyed.
            "cids_will_destroy" => Answer::Ok(Payload::empty()),
            "cids_destroyed" => {
                let cids = push.json().map(|Cids { cids }| cids).unwrap_or_default();
                let cids: Vec<Cid> = cids.into_iter().filter_map(Cid::new).collect();
                let gone: Vec<u32> = self.view.destroyed(&cids).into_iter().map(Cid::get).collect();
                Answer::ok(serde_json::json!({ "cids": gone }))
            }
            _ => refused("unknown event"),
        }
    }

    async fn handle_info(&mut self, wake: Wake, ctx: &mut channels::Ctx<'_, Self>) {
        let Frames { before, pushes, outcome } = self.view.wake(wake, &mut || ctx.next_info()).await;
        ahead(before, pushes, ctx);
        if let Outcome::Diff(diff) = outcome {
            ctx.push("diff", raw(diff.push()));
        }
    }
}

#[derive(Deserialize)]
struct LivePatch<'a> {
    #[serde(borrow)]
    url: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct Cids {
    cids: Vec<u32>,
}

/// What goes before a diff, or instead of one: components that the diff can't carry, then a patch.
fn ahead(before: Option<Diff>, pushes: Vec<(&'static str, String)>, ctx: &channels::Ctx<'_, LiveChannel>) {
    if let Some(diff) = before {
        ctx.push("diff", raw(diff.push()));
    }
    for (event, payload) in pushes {
        ctx.push(event, RawPayload::from(payload));
    }
}

/// Pushes first: a patch comes before the diff that belongs to it.
fn answered(frames: Frames, ctx: &channels::Ctx<'_, LiveChannel>) -> Answer {
    let Frames { before, pushes, outcome } = frames;
    ahead(before, pushes, ctx);
    Answer::Ok(match outcome {
        Outcome::Nothing => Payload::empty(),
        Outcome::Diff(diff) => raw(diff.answer()),
        Outcome::LinkRedirect => RawPayload::new("{\"link_redirect\":true}").into(),
    })
}

/// JSON that this crate has written.
fn raw(json: Bytes) -> Payload {
    match RawPayload::from_utf8(json) {
        Ok(raw) => raw.into(),
        Err(error) => {
            tracing::error!(%error, "a message to the client is not UTF-8");
            Payload::empty()
        }
    }
}
