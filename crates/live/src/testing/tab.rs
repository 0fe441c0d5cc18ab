//! An open page of a browser, and what a user does with it.
//!
//! **Invariant.** A user does only what the page offers: an element that is not there, is disabled or has nothing to push
//! fails the test, with the page. An event is answered, merged and compared before the call returns.

mod action;
mod journey;
mod seen;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use channels::Msg;
use otp::Inbox;
use serde_json::{Value, json};

use super::{Browser, dom, fields};
use crate::channel::LiveChannel;
use crate::connected::AnyView;
use crate::ctx::Mailbox;
use crate::frames::Outcome;
use crate::merge::Client;
use action::{Action, form_event};
use journey::Tokens;

/// Messages that may wait for a view in a test, if it says nothing else.
pub(super) const MAILBOX: u32 = 10_000;

/// Where a view has sent its browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// To another view of the live session, or so it hopes.
    Navigate(String),
    /// By a full page load.
    Redirect(String),
}

/// An open page.
pub struct Tab {
    browser: Browser,
    view: Box<dyn AnyView>,
    client: Client,
    inbox: Inbox<Msg<LiveChannel>>,
    mailbox: Mailbox,
    tokens: Tokens,
    path: String,
    title: Option<String>,
    events: Vec<(String, Value)>,
    departure: Option<(Departure, Option<String>)>,
    /// The fields in which somebody has been, by form.
    touched: BTreeMap<String, BTreeSet<String>>,
}

impl Tab {
    /// Clicks an element: its `phx-click`, or its live link.
    ///
    /// # Panics
    /// If there is no such element, it is disabled, or a click on it does nothing.
    pub async fn click(&mut self, selector: &str) {
        let action = {
            let (html, page) = self.parsed();
            let element = dom::one(&html, selector, &page);
            assert!(element.attr("disabled").is_none(), "{selector:?} is disabled:\n{}", element.html());
            Action::of_click(element, selector)
        };
        self.act(action).await;
    }

    /// Types values into fields of a form, or chooses them: its `phx-change` is pushed once, with the last field as
    /// `_target`.
    ///
    /// # Panics
    /// If there is no such form or field, or it has no `phx-change`.
    pub async fn change(&mut self, form: &str, typed: &[(&str, &str)]) {
        let touched = self.touched.entry(form.to_owned()).or_default();
        touched.extend(typed.iter().map(|(name, _)| (*name).to_owned()));
        let touched = touched.clone();
        let target = typed.last().map_or("undefined", |(name, _)| *name);
        let payload = {
            let (html, page) = self.parsed();
            let element = dom::one(&html, form, &page);
            form_event(
                element,
                "phx-change",
                &fields::encoded(element, typed, Some(&touched)),
                &json!({ "_target": target }),
            )
        };
        self.push_event(&payload).await;
    }

    /// Types values into fields of a form and submits it.
    ///
    /// # Panics
    /// If there is no such form or field, or it has no `phx-submit`.
    pub async fn submit(&mut self, form: &str, typed: &[(&str, &str)]) {
        let payload = {
            let (html, page) = self.parsed();
            let element = dom::one(&html, form, &page);
            form_event(element, "phx-submit", &fields::encoded(element, typed, None), &json!({}))
        };
        self.push_event(&payload).await;
    }

    /// Lets the hook on an element push an event; the view's answer, if it gave one.
    ///
    /// # Panics
    /// If there is no such element, or it has no `phx-hook`.
    pub async fn hook(&mut self, selector: &str, event: &str, payload: Value) -> Option<Value> {
        let cid = {
            let (html, page) = self.parsed();
            let element = dom::one(&html, selector, &page);
            assert!(element.attr("phx-hook").is_some(), "{selector:?} has no phx-hook:\n{}", element.html());
            dom::component_around(element)
        };
        self.push_event(&json!({ "type": "hook", "event": event, "value": payload, "cid": cid })).await
    }

    /// Pushes an event that no element of the page has: what a hostile client does.
    pub async fn forge(&mut self, event: &str, value: Value) -> Option<Value> {
        self.push_event(&json!({ "type": "click", "event": event, "value": value })).await
    }

    /// [`forge`](Self::forge) for a component that may be gone or never was.
    pub async fn forge_for(&mut self, cid: i64, event: &str, value: Value) -> Option<Value> {
        self.push_event(&json!({ "type": "click", "event": event, "value": value, "cid": cid })).await
    }

    /// Follows a live link to another address of the view, as the back button does too.
    pub async fn patch(&mut self, path: &str) {
        let frames = self.view.live_patch(&format!("http://localhost{path}")).await;
        if matches!(frames.outcome, Outcome::LinkRedirect) {
            self.departure = Some((Departure::Navigate(path.to_owned()), None));
            return;
        }
        path.clone_into(&mut self.path);
        self.take(frames);
        self.settle().await;
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Push(payloads) => {
                for payload in payloads {
                    self.push_event(&payload).await;
                }
            }
            Action::Patch(path) => self.patch(&path).await,
            Action::Navigate(path) => self.departure = Some((Departure::Navigate(path), None)),
        }
    }

    async fn push_event(&mut self, payload: &Value) -> Option<Value> {
        let frames = self.view.event(&payload.to_string()).await;
        let reply = self.take(frames);
        self.settle().await;
        reply
    }
}

impl std::fmt::Debug for Tab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tab").field("path", &self.path).field("html", &self.html()).finish_non_exhaustive()
    }
}
