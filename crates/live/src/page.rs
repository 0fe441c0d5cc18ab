//! The page that a view lives in: its address, flash and title, and the commands that go to the browser.
//!
//! Invariant: what a handler asks for is kept until the handler is done and then sent with the diff, in an order
//! that the client can follow: events and title with the diff, a patch before it, leaving instead of it.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use serde::Serialize;

use crate::component::{Component, Components, LiveComponent};
use crate::flash::Flash;
use crate::live::Inner;
use crate::parts::Parts;
use crate::path::LocalPath;
use crate::stream::{Drained, Stream};

/// Whether the browser's history gets a new entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// A new entry: "back" leads here again.
    #[default]
    Push,
    /// In place of the present one.
    Replace,
}

impl History {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Replace => "replace",
        }
    }
}

/// Where a handler sends the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Go {
    Patch(LocalPath, History),
    Navigate(LocalPath, History),
    Redirect(LocalPath),
}

/// A page, dead or connected. Views reach it through [`Ctx`](crate::Ctx), components directly.
pub struct Page {
    pub(crate) live: Arc<Inner>,
    pub(crate) connected: bool,
    pub(crate) uri: LocalPath,
    flash: Flash,
    /// The flash was put by the handler at hand: a patch leaves it, and the view must be rendered again.
    pub(crate) flash_is_new: bool,
    title: Option<Box<str>>,
    pub(crate) csrf_token: Box<str>,
    pub(crate) out: Outgoing,
    pub(crate) components: Components,
    pub(crate) parts: Parts,
    streams: Vec<Weak<Mutex<dyn Drained + Send>>>,
}

/// What the handler at hand has asked for.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) go: Option<Go>,
    pub(crate) events: Vec<String>,
    pub(crate) reply: Option<String>,
    pub(crate) title: bool,
}

impl Page {
    pub(crate) fn new(live: Arc<Inner>, connected: bool, uri: LocalPath, flash: Flash) -> Self {
        Self {
            live,
            connected,
            uri,
            flash,
            flash_is_new: false,
            title: None,
            csrf_token: Box::default(),
            out: Outgoing::default(),
            components: Components::default(),
            parts: Parts::default(),
            streams: Vec::new(),
        }
    }

    /// Whether a browser is connected. False in the dead render, whose state is thrown away: begin nothing there
    /// that outlives it.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// The page's address.
    pub fn uri(&self) -> &LocalPath {
        &self.uri
    }

    /// The proof for a hidden field of a plain form, that it comes from a page of ours: see [`csrf`](crate::csrf). It is
    /// there in the first render only; give the field an `id` and `phx-update="ignore"`, so that the browser keeps it.
    pub fn csrf_token(&self) -> &str {
        &self.csrf_token
    }

    /// The messages to show.
    pub fn flash(&self) -> &Flash {
        &self.flash
    }

    /// Shows a message, here or on the page that this handler goes to.
    pub fn put_flash(&mut self, kind: &str, message: impl Into<String>) {
        self.flash.put(kind, message);
        self.flash_is_new = true;
    }

    /// Takes the message of a kind away, or all of them.
    pub fn clear_flash(&mut self, kind: Option<&str>) {
        self.flash.clear(kind);
        self.flash_is_new = true;
    }

    /// Takes away what an earlier handler has put: a patch is a new page.
    pub(crate) fn drop_old_flash(&mut self) {
        if !self.flash_is_new {
            self.flash.clear(None);
        }
    }

    /// The page's title, if one was set.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Sets the page's title.
    pub fn set_title(&mut self, title: impl Into<Box<str>>) {
        let title = title.into();
        if self.title.as_ref() != Some(&title) {
            self.title = Some(title);
            self.out.title = true;
        }
    }

    /// Goes to another address of the same view: [`handle_params`](crate::LiveView::handle_params) runs, nothing else
    /// is mounted. The flash that was there before this handler goes away.
    pub fn push_patch(&mut self, to: LocalPath) {
        self.out.go = Some(Go::Patch(to, History::Push));
    }

    /// [`push_patch`](Self::push_patch) with a choice about the history.
    pub fn patch(&mut self, to: LocalPath, history: History) {
        self.out.go = Some(Go::Patch(to, history));
    }

    /// Goes to another view over the same socket if it is in the same live session; otherwise the browser loads it.
    /// The flash goes along.
    pub fn push_navigate(&mut self, to: LocalPath) {
        self.out.go = Some(Go::Navigate(to, History::Push));
    }

    /// [`push_navigate`](Self::push_navigate) with a choice about the history.
    pub fn navigate(&mut self, to: LocalPath, history: History) {
        self.out.go = Some(Go::Navigate(to, history));
    }

    /// Makes the browser load another page. The flash goes along.
    pub fn redirect(&mut self, to: LocalPath) {
        self.out.go = Some(Go::Redirect(to));
    }

    /// Dispatches `phx:NAME` in the browser, where hooks listen. Nothing in a dead render.
    pub fn push_event(&mut self, name: &str, payload: impl Serialize) {
        match serde_json::to_string(&(name, payload)) {
            Ok(event) => self.out.events.push(event),
            Err(error) => tracing::error!(name, %error, "event for the browser can't be encoded"),
        }
    }

    /// Answers the hook whose event is at hand. The last answer counts.
    pub fn reply(&mut self, answer: impl Serialize) {
        match serde_json::to_string(&answer) {
            Ok(answer) => self.out.reply = Some(answer),
            Err(error) => tracing::error!(%error, "answer to a hook can't be encoded"),
        }
    }

    /// Makes a stream: a list whose items the server forgets once they are sent. `name` is unique on the page;
    /// `dom_id` gives the `id` of an item's element. The element around it needs an `id` and `phx-update="stream"`.
    pub fn stream<T: Send + 'static>(
        &mut self,
        name: impl Into<String>,
        dom_id: fn(&T) -> String,
    ) -> Stream<T> {
        let stream = Stream::new(name.into(), dom_id);
        self.streams.retain(|known| known.strong_count() > 0);
        self.streams.push(stream.downgrade());
        stream
    }

    /// Forgets what the streams have sent.
    pub(crate) fn drain_streams(&mut self) {
        for stream in self.streams.iter().filter_map(Weak::upgrade) {
            stream.lock().drain();
        }
    }

    /// Whether a stream has orders that no later one may join.
    pub(crate) fn streams_are_counted(&self) -> bool {
        self.streams.iter().filter_map(Weak::upgrade).any(|stream| stream.lock().is_counted())
    }

    /// Gives a component its place on the page. It lives as long as the handle: keep it in the view's state and
    /// put its [`cid`](Component::cid) where the component is to stand.
    pub fn component<C: LiveComponent>(&mut self, component: C) -> Component<C> {
        self.components.add(component)
    }

    /// Sends a component what it is to know: [`LiveComponent::update`] runs now, and it is rendered with this answer.
    pub async fn update<C: LiveComponent>(&mut self, component: &Component<C>, update: C::Update) {
        let Some(mut slot) = self.components.take(component.cid()) else { return };
        if let Some(state) = slot.state_mut::<C>() {
            state.update(update, self).await;
        }
        self.components.put_back(slot);
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("uri", &self.uri)
            .field("connected", &self.connected)
            .finish_non_exhaustive()
    }
}
