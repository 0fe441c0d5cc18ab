//! What the server's side does to an open page: messages reach the view, diffs reach the client.
//!
//! **Invariant.** After each message the page that the diffs have given is the page that the view renders.

use std::collections::BTreeSet;

use channels::Msg;
use serde_json::Value;

use super::super::dom;
use super::{Departure, Tab};
use crate::channel::{LiveChannel, Wake};
use crate::frames::{Diff, Frames, Outcome};
use crate::tree::Cid;

impl Tab {
    /// Lets the view handle every message that waits for it.
    pub async fn settle(&mut self) {
        while let Some(message) = self.inbox.try_recv() {
            let Some(wake) = told(message) else { continue };
            let Self { view, inbox, .. } = self;
            let frames = view.wake(wake, &mut || inbox.try_recv().and_then(told)).await;
            self.take(frames);
        }
    }

    /// Waits for the next message to the view (of a task, a timer) and lets it handle that.
    ///
    /// # Panics
    /// If none comes in a minute: of virtual time, where the test has that.
    pub async fn next_message(&mut self) {
        let next = tokio::time::timeout(std::time::Duration::from_mins(1), self.inbox.recv()).await;
        match next {
            Ok(Some(message)) => self.wake(message).await,
            _ => panic!("no message came for the view"),
        }
    }

    /// Sends the view a message of its own type, and lets it handle it.
    ///
    /// # Panics
    /// If too many wait already.
    pub async fn send<I: Send + 'static>(&mut self, info: I) {
        assert!(self.mailbox.try_cast(Wake::info(info)).is_ok(), "the view's mailbox is full");
        self.settle().await;
    }

    /// Sends the view many messages before it handles the first: a burst, which shares renders.
    ///
    /// # Panics
    /// If too many wait already.
    pub async fn send_all<I: Send + 'static>(&mut self, infos: impl IntoIterator<Item = I>) {
        for info in infos {
            assert!(self.mailbox.try_cast(Wake::info(info)).is_ok(), "the view's mailbox is full");
        }
        self.settle().await;
    }

    async fn wake(&mut self, message: Msg<LiveChannel>) {
        if let Some(wake) = told(message) {
            let frames = self.view.wake(wake, &mut || None).await;
            self.take(frames);
        }
    }

    /// Takes what the view has answered; the reply of its hook, where it gave one.
    pub(super) fn take(&mut self, frames: Frames) -> Option<Value> {
        let Frames { before, pushes, outcome } = frames;
        if let Some(diff) = before {
            self.merge(diff);
        }
        for (event, payload) in pushes {
            let payload: Value =
                serde_json::from_str(&payload).unwrap_or_else(|error| panic!("{event}: {error}: {payload}"));
            let to = payload["to"].as_str().unwrap_or_else(|| panic!("{event} without a place")).to_owned();
            let flash = payload["flash"].as_str().map(str::to_owned);
            match event {
                "live_patch" => self.path = to,
                "live_redirect" => self.departure = Some((Departure::Navigate(to), flash)),
                _ => self.departure = Some((Departure::Redirect(to), flash)),
            }
        }
        let Outcome::Diff(diff) = outcome else { return None };
        let before = self.components();
        let parsed = self.merge(diff);
        self.beside(&parsed);
        self.check();
        self.destroy(&before);
        parsed.get("r").cloned()
    }

    fn merge(&mut self, diff: Diff) -> Value {
        let answer = diff.answer();
        let answer: Value =
            serde_json::from_slice(&answer).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
        let parsed = answer["diff"].clone();
        let diff = parsed.to_string();
        self.client.merge(&diff).unwrap_or_else(|error| panic!("{error}\nThe diff: {diff}"));
        parsed
    }

    /// What travels beside the markup.
    pub(super) fn beside(&mut self, diff: &Value) {
        if let Some(title) = diff["t"].as_str() {
            self.title = Some(title.to_owned());
        }
        for event in diff["e"].as_array().into_iter().flatten() {
            self.events.push((event[0].as_str().unwrap_or_default().to_owned(), event[1].clone()));
        }
    }

    /// The merged page must be the rendered page.
    pub(super) fn check(&mut self) {
        let whole = dom::without_streams(&self.view.html());
        let merged = dom::without_streams(self.client.html());
        assert_eq!(merged, whole, "the merged diffs do not give the page that the view renders");
    }

    fn components(&self) -> BTreeSet<u32> {
        if !self.html().contains("data-phx-component") {
            return BTreeSet::new();
        }
        let (html, _) = self.parsed();
        let shown = dom::select(&html, "[data-phx-component]");
        shown.iter().filter_map(|element| element.attr("data-phx-component")?.parse().ok()).collect()
    }

    /// The client says which components are no longer shown.
    fn destroy(&mut self, before: &BTreeSet<u32>) {
        let gone: Vec<Cid> = before.difference(&self.components()).filter_map(|&cid| Cid::new(cid)).collect();
        if !gone.is_empty() {
            let gone = self.view.destroyed(&gone);
            self.client.forget(&gone);
        }
    }
}

/// A message of the server's side.
fn told(message: Msg<LiveChannel>) -> Option<Wake> {
    match message {
        Msg::Info(wake) => Some(wake),
        Msg::Wire(_) => None,
    }
}
