//! A view with a browser: events in, diffs out.
//!
//! Invariant: after each message of the browser, and after each burst of the server's, the client holds what `render` says,
//! or has been sent away; and each message that wants an answer gets exactly one, behind what was queued before it.

use std::any::{Any, type_name};
use std::sync::Arc;

use serde_json::json;

use crate::channel::{Wake, WakeKind};
use crate::departure::departure;
use crate::diff::{Extras, Frame, NotHeld, Shadow};
use crate::event::{ClientEvent, EventError};
use crate::frames::{Diff, Frames, Outcome};
use crate::live::{CLIENT_VERSION, Inner};
use crate::mounted::Mounted;
use crate::page::Go;
use crate::path::LocalPath;
use crate::route::Boxed;
use crate::tree::Cid;
use crate::view::{Halt, LiveView};

/// Patches that one handler may lead to by patching again in `handle_params`.
const MAX_PATCHES: usize = 8;

/// Messages of the server's side that one render may show: their handlers run one after another without a diff between.
/// As many as a mailbox holds by default; so a page that is told without end still moves.
const MAX_BURST: usize = 256;

/// The next message of the server's side, if one waits and nothing of the browser's waits before it.
pub(crate) type More<'a> = dyn FnMut() -> Option<Wake> + Send + 'a;

/// A connected view without its type.
pub(crate) trait AnyView: Send {
    /// An event of the browser.
    fn event<'a>(&'a mut self, payload: &'a str) -> Boxed<'a, Frames>;
    /// The browser's own way to another address.
    fn live_patch<'a>(&'a mut self, url: &'a str) -> Boxed<'a, Frames>;
    /// A message of the server's side, and those that `more` has waiting behind it. Their frames are pushes alone.
    fn wake<'a>(&'a mut self, wake: Wake, more: &'a mut More<'a>) -> Boxed<'a, Frames>;
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
        let frame = Frame { root: Some(&root), components: &components };
        // Not reached: no part is left out of a first render.
        let shadow = Shadow::full(&frame, &extras, &mut response).map_err(|NotHeld| Halt::UNAVAILABLE)?;
        mounted.page.parts.sent();
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

    /// Lets the view handle one message of the server's side; false if it was none any more.
    async fn handle_wake(&mut self, wake: Wake) -> bool {
        let info: Box<dyn Any + Send> = match wake.0 {
            WakeKind::Info(info) => info,
            WakeKind::Task { number, info } if self.mounted.tasks.finished(number) => info,
            // It was cancelled when its result was already on its way.
            WakeKind::Task { .. } => return false,
        };
        let Ok(info) = info.downcast::<V::Info>() else { return false };
        // What the handler before has put is an old flash to this one, though both are shown by one render.
        self.mounted.page.flash_is_new = false;
        let (view, mut cx) = self.mounted.parts();
        view.handle_info(*info, &mut cx).await;
        true
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
        page.live.counters.renders.one();
        let mut root = view_too.then(|| view.render(page));
        let mut components = page.components.render(root.as_ref(), false);
        if let Some(root) = &root {
            let streamed = self.shadow.take_streamed(root, &mut components);
            if !streamed.is_empty() {
                let frame = Frame { root: None, components: &streamed };
                // Components have no parts that could be left out.
                frames.before =
                    Diff::write(&mut self.shadow, &frame, &Extras::default(), &page.live).unwrap_or_default();
            }
        }
        let out = std::mem::take(&mut page.out);
        let diff = loop {
            let extras = Extras {
                title: page.title().filter(|_| out.title),
                events: &out.events,
                reply: out.reply.as_deref(),
            };
            let frame = Frame { root: root.as_ref(), components: &components };
            if let Ok(diff) = Diff::write(&mut self.shadow, &frame, &extras, &page.live) {
                break diff;
            }
            // A part stands at another place than before: once more, with all of them.
            page.live.counters.renders.one();
            page.parts.forget();
            root = Some(view.render(page));
            components.extend(page.components.render(root.as_ref(), false));
            components.sort_by_key(|(cid, _)| *cid);
        };
        if let Some(diff) = diff {
            frames.outcome = Outcome::Diff(diff);
        }
        if root.is_some() {
            page.parts.sent();
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

    fn wake<'a>(&'a mut self, wake: Wake, more: &'a mut More<'a>) -> Boxed<'a, Frames> {
        Box::pin(async move {
            let live = self.mounted.page.live.clone();
            let _count = CrashCount(live.clone());
            let mut frames = Frames::default();
            let mut handled = 0;
            let mut next = Some(wake);
            while let Some(wake) = next {
                handled += usize::from(self.handle_wake(wake).await);
                // Where a handler sends the browser elsewhere, what is queued behind it finds it there.
                let page = &self.mounted.page;
                let ends = handled >= MAX_BURST || page.out.go.is_some() || page.streams_are_counted();
                next = if ends { None } else { more() };
            }
            if handled > 0 {
                live.counters.infos.add(handled as u64);
                self.settle(Changed::View, &mut frames).await;
            }
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
