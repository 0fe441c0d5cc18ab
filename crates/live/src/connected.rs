//! A view with a browser: events in, diffs out.
//!
//! Invariant: after each message the client holds what `render` says, or has been sent away; and each message that wants
//! an answer gets exactly one.

use std::any::{Any, type_name};
use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::json;

use crate::channel::{Wake, WakeKind};
use crate::diff::{Extras, Frame, Shadow};
use crate::event::{ClientEvent, EventError};
use crate::flash::Flash;
use crate::live::{CLIENT_VERSION, Inner};
use crate::mounted::Mounted;
use crate::page::Go;
use crate::path::LocalPath;
use crate::route::Boxed;
use crate::token::unix_now;
use crate::tree::Cid;
use crate::view::{Halt, LiveView};

/// Patches that one handler may lead to by patching again in `handle_params`.
const MAX_PATCHES: usize = 8;

/// What goes to the client for one message: pushes first, then the answer.
#[derive(Default, Debug)]
pub(crate) struct Frames {
    pub(crate) pushes: Vec<(&'static str, String)>,
    pub(crate) outcome: Outcome,
}

/// What a message has led to.
#[derive(Default, Debug)]
pub(crate) enum Outcome {
    /// Nothing to show: `{}` to a push.
    #[default]
    Nothing,
    Diff(Diff),
    /// The address is of another view: the client has to join that.
    LinkRedirect,
}

/// A diff as it was written: behind the words that make it an answer, so that neither form is copied.
#[derive(Debug)]
pub(crate) struct Diff(Bytes);

impl Diff {
    const BEFORE: &[u8] = b"{\"diff\":";

    /// For a push of the event `diff`.
    pub(crate) fn push(self) -> Bytes {
        self.0.slice(Self::BEFORE.len()..self.0.len() - 1)
    }

    /// For the answer to a push.
    pub(crate) fn answer(self) -> Bytes {
        self.0
    }
}

/// A connected view without its type.
pub(crate) trait AnyView: Send {
    /// An event of the browser.
    fn event<'a>(&'a mut self, payload: &'a str) -> Boxed<'a, Frames>;
    /// The browser's own way to another address.
    fn live_patch<'a>(&'a mut self, url: &'a str) -> Boxed<'a, Frames>;
    /// A message of the server's side. Its frames are pushes alone.
    fn wake(&mut self, wake: Wake) -> Boxed<'_, Frames>;
    /// The client has taken these components away; which of them it may forget.
    fn destroyed(&mut self, cids: &[Cid]) -> Vec<Cid>;
    /// The whole page as it would be rendered now.
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "the test kit compares with it"))]
    fn html(&mut self) -> String;
}

pub(crate) struct Connected<V: LiveView> {
    mounted: Mounted<V>,
    shadow: Shadow,
    _gauge: Gauge,
}

/// Counts a view as connected while it lives.
struct Gauge(Arc<Inner>);

impl Gauge {
    fn new(live: Arc<Inner>) -> Self {
        live.counters.mounts.one();
        live.counters.connected.one();
        Self(live)
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.0.counters.connected.less();
    }
}

/// Counts a crash if it is dropped by one.
pub(crate) struct CrashCount(pub(crate) Arc<Inner>);

impl Drop for CrashCount {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.counters.crashes.one();
        }
    }
}

/// Whose markup may have changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    View,
    /// A component's alone: the view is not rendered.
    Component,
}

impl<V: LiveView> Connected<V> {
    /// The first render; with it, the response to the join.
    pub(crate) async fn begin(mut mounted: Mounted<V>) -> Result<(Self, Vec<u8>), Halt> {
        let mut frames = Frames::default();
        if let Some(halt) = follow(&mut mounted, &mut frames).await? {
            return Err(halt);
        }
        let root = mounted.view.render(&mounted.page);
        let components = mounted.page.components.render(Some(&root), false);
        let out = std::mem::take(&mut mounted.page.out);
        let extras = Extras { title: mounted.page.title(), events: &out.events, reply: out.reply.as_deref() };
        let mut response = Vec::with_capacity(4 * 1024);
        response.extend_from_slice(b"{\"rendered\":");
        let shadow =
            Shadow::full(&Frame { root: Some(&root), components: &components }, &extras, &mut response);
        mounted.page.components.held(&shadow);
        response.extend_from_slice(b",\"liveview_version\":\"");
        response.extend_from_slice(CLIENT_VERSION.as_bytes());
        response.push(b'"');
        // The client takes one patch with a join: the last.
        if let Some((_, patch)) = frames.pushes.last() {
            response.extend_from_slice(b",\"live_patch\":");
            response.extend_from_slice(patch.as_bytes());
        }
        response.push(b'}');
        mounted.page.drain_streams();
        mounted.page.flash_is_new = false;
        let gauge = Gauge::new(mounted.page.live.clone());
        Ok((Self { mounted, shadow, _gauge: gauge }, response))
    }

    async fn handle_event(&mut self, payload: &str) -> Result<Changed, EventError> {
        let event = ClientEvent::parse(payload)?;
        let page = &mut self.mounted.page;
        if let Some(cid) = event.component()? {
            page.component_event(cid, &event).await?;
            return Ok(Changed::Component);
        }
        if event.name == "lv:clear-flash" {
            let kind = event.value.at("key").text();
            page.clear_flash(Some(kind).filter(|kind| !kind.is_empty()));
            return Ok(Changed::View);
        }
        let event = event.read::<V::Event>()?;
        let (view, mut cx) = self.mounted.parts();
        view.handle_event(event, &mut cx).await;
        Ok(Changed::View)
    }

    /// Follows where the handler has sent the browser, and renders. The outcome is left in `frames`.
    async fn settle(&mut self, changed: Changed, frames: &mut Frames) {
        let patched = frames.pushes.len();
        match follow(&mut self.mounted, frames).await {
            Ok(None) => {}
            Ok(Some(halt)) | Err(halt) => return self.leave(halt, frames),
        }
        let Mounted { view, page, .. } = &mut self.mounted;
        let view_too = changed == Changed::View || page.flash_is_new || frames.pushes.len() > patched;
        let root = view_too.then(|| view.render(page));
        let components = page.components.render(root.as_ref(), false);
        let out = std::mem::take(&mut page.out);
        let extras = Extras {
            title: page.title().filter(|_| out.title),
            events: &out.events,
            reply: out.reply.as_deref(),
        };
        let frame = Frame { root: root.as_ref(), components: &components };
        let mut diff = Vec::with_capacity(256);
        diff.extend_from_slice(Diff::BEFORE);
        if self.shadow.diff(&frame, &extras, &mut diff) {
            page.live.counters.diffs.one();
            page.live.counters.diff_bytes.add((diff.len() - Diff::BEFORE.len()) as u64);
            diff.push(b'}');
            frames.outcome = Outcome::Diff(Diff(diff.into()));
        }
        page.components.held(&self.shadow);
        page.drain_streams();
        page.flash_is_new = false;
    }

    /// Sends the browser away, instead of a diff.
    fn leave(&mut self, halt: Halt, frames: &mut Frames) {
        self.mounted.page.out = crate::page::Outgoing::default();
        let (event, payload) = departure(&self.mounted.page.live, halt, &self.mounted.page.uri);
        frames.pushes.push((event, payload));
    }
}

/// Runs the patches that were asked for; where else the browser is to go.
async fn follow<V: LiveView>(mounted: &mut Mounted<V>, frames: &mut Frames) -> Result<Option<Halt>, Halt> {
    let mut patches = 0;
    loop {
        let page = &mut mounted.page;
        let (to, history) = match page.out.go.take() {
            None => return Ok(None),
            Some(Go::Patch(to, history)) => (to, history),
            Some(go) => {
                page.out.go = Some(go);
                return Ok(mounted.leaving());
            }
        };
        patches += 1;
        if patches > MAX_PATCHES {
            tracing::error!(view = type_name::<V>(), %to, "handle_params patches in a circle");
            return Err(Halt::UNAVAILABLE);
        }
        let live = page.live.clone();
        match live.route(&to) {
            Some((route, Ok(params))) if route.view() == type_name::<V>() => {
                let patch = json!({ "kind": history.kind(), "to": to.as_str() }).to_string();
                frames.pushes.push(("live_patch", patch));
                mounted.patched(to, &params).await?;
            }
            // Another view's address: it has to be mounted.
            _ => return Ok(Some(Halt::Navigate { to, flash: page.flash().clone() })),
        }
    }
}

/// The push that sends the browser elsewhere.
fn departure(live: &Inner, halt: Halt, here: &LocalPath) -> (&'static str, String) {
    let signed = |flash: &Flash| flash.sign(&live.keys, unix_now());
    match halt {
        Halt::Redirect { to, flash } => {
            ("redirect", json!({ "to": to.as_str(), "flash": signed(&flash) }).to_string())
        }
        Halt::Navigate { to, flash } => {
            let payload = json!({ "to": to.as_str(), "kind": "push", "flash": signed(&flash) });
            ("live_redirect", payload.to_string())
        }
        // The page is loaded again, and the first answer has the status.
        Halt::Status(_) => ("redirect", json!({ "to": here.as_str() }).to_string()),
    }
}

/// The answer to a join that was not let in.
pub(crate) fn refusal(live: &Inner, halt: Halt, here: &LocalPath) -> String {
    if let Halt::Status(status) = halt {
        return reload(status);
    }
    let (event, payload) = departure(live, halt, here);
    format!("{{\"{event}\":{payload}}}")
}

fn reload(status: StatusCode) -> String {
    // Without a token: the page that is loaded finds the same status by itself.
    json!({ "reason": "reload", "status": status.as_u16() }).to_string()
}

impl<V: LiveView> AnyView for Connected<V> {
    fn event<'a>(&'a mut self, payload: &'a str) -> Boxed<'a, Frames> {
        Box::pin(async move {
            let live = self.mounted.page.live.clone();
            let _count = CrashCount(live.clone());
            let mut frames = Frames::default();
            match self.handle_event(payload).await {
                Ok(changed) => {
                    live.counters.events.one();
                    self.settle(changed, &mut frames).await;
                }
                Err(error) => {
                    match error {
                        EventError::ComponentGone { .. } => live.counters.component_gone.one(),
                        _ => live.counters.refused_events.one(),
                    }
                    tracing::warn!(view = type_name::<V>(), %error, "event refused");
                }
            }
            frames
        })
    }

    fn live_patch<'a>(&'a mut self, url: &'a str) -> Boxed<'a, Frames> {
        Box::pin(async move {
            let live = self.mounted.page.live.clone();
            let _count = CrashCount(live.clone());
            let mut frames = Frames::default();
            let Ok(to) = LocalPath::of_url(url) else {
                live.counters.refused_events.one();
                frames.outcome = Outcome::LinkRedirect;
                return frames;
            };
            match live.route(&to) {
                Some((route, Ok(params))) if route.view() == type_name::<V>() => {
                    match self.mounted.patched(to, &params).await {
                        Ok(()) => self.settle(Changed::View, &mut frames).await,
                        Err(halt) => self.leave(halt, &mut frames),
                    }
                }
                _ => frames.outcome = Outcome::LinkRedirect,
            }
            frames
        })
    }

    fn wake(&mut self, wake: Wake) -> Boxed<'_, Frames> {
        Box::pin(async move {
            let live = self.mounted.page.live.clone();
            let _count = CrashCount(live.clone());
            let mut frames = Frames::default();
            let info: Box<dyn Any + Send> = match wake.0 {
                WakeKind::Info(info) => info,
                WakeKind::Task { number, info } if self.mounted.tasks.finished(number) => info,
                // It was cancelled when its result was already on its way.
                WakeKind::Task { .. } => return frames,
            };
            let Ok(info) = info.downcast::<V::Info>() else { return frames };
            live.counters.infos.one();
            let (view, mut cx) = self.mounted.parts();
            view.handle_info(*info, &mut cx).await;
            self.settle(Changed::View, &mut frames).await;
            frames
        })
    }

    fn destroyed(&mut self, cids: &[Cid]) -> Vec<Cid> {
        // One whose place is on the page was sent anew when the client was already on its way to say this.
        let placed = self.shadow.placed();
        let gone: Vec<Cid> = cids.iter().copied().filter(|cid| !placed.contains(cid)).collect();
        self.mounted.page.components.destroyed(&gone);
        self.shadow.forget(&gone);
        gone
    }

    fn html(&mut self) -> String {
        self.mounted.html()
    }
}
