//! An open page of a browser: what a user does with it, and what there is to see.

use std::collections::{BTreeMap, BTreeSet};

use channels::Msg;
use otp::Inbox;
use scraper::{ElementRef, Html};
use serde_json::{Value, json};

use super::{Browser, dom, fields};
use crate::channel::{LiveChannel, Wake};
use crate::connected::AnyView;
use crate::csrf;
use crate::ctx::Mailbox;
use crate::frames::{Diff, Frames, Outcome};
use crate::join::{JoinPayload, join};
use crate::merge::Client;
use crate::tree::Cid;

/// Messages that may wait for a view in a test.
const MAILBOX: u32 = 10_000;

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

/// What the document gave the client to join with.
#[derive(Clone)]
struct Tokens {
    csrf: String,
    id: String,
    session: String,
    fixed: String,
}

impl Tokens {
    fn of(document: &str) -> Self {
        let html = Html::parse_document(document);
        let attr = |selector: &str, name: &str| {
            let element = dom::one(&html, selector, document);
            element.attr(name).unwrap_or_else(|| panic!("{selector:?} has no {name:?}")).to_owned()
        };
        let main = "[data-phx-main]";
        Self {
            csrf: attr("meta[name=csrf-token]", "content"),
            id: attr(main, "id"),
            session: attr(main, "data-phx-session"),
            fixed: attr(main, "data-phx-static"),
        }
    }
}

impl Tab {
    pub(super) async fn join(browser: Browser, path: &str, document: &str) -> Result<Self, String> {
        let tokens = Tokens::of(document);
        let payload = json!({
            "url": format!("http://localhost{path}"),
            "session": tokens.session,
            "static": tokens.fixed,
            "params": { "_csrf_token": tokens.csrf, "_mounts": 0, "_mount_attempts": 0 },
        });
        Self::connect(browser, tokens, path, &payload).await
    }

    async fn connect(browser: Browser, tokens: Tokens, path: &str, payload: &Value) -> Result<Self, String> {
        let live = browser.live.inner.clone();
        let id = csrf::proven(&live.keys, live.secure, &browser.request_headers(), &tokens.csrf);
        let (mailbox, inbox) = otp::inbox(MAILBOX);
        let payload = payload.to_string();
        let payload: JoinPayload<'_> =
            serde_json::from_str(&payload).unwrap_or_else(|error| panic!("join payload: {error}"));
        let joined = join(&live, id.as_ref(), &tokens.id, &payload, mailbox.clone()).await;
        let (view, response) = joined.map_err(|error| format!("the join was refused: {error}"))?;
        let response: Value =
            serde_json::from_slice(&response).unwrap_or_else(|error| panic!("join response: {error}"));
        let rendered = &response["rendered"];
        let client =
            Client::join(&rendered.to_string()).unwrap_or_else(|error| panic!("join response: {error}"));
        let mut tab = Self {
            browser,
            view,
            client,
            inbox,
            mailbox,
            tokens,
            path: path.to_owned(),
            title: None,
            events: Vec::new(),
            departure: None,
            touched: BTreeMap::new(),
        };
        tab.beside(rendered);
        if let Some(to) = response["live_patch"]["to"].as_str() {
            to.clone_into(&mut tab.path);
        }
        tab.check();
        tab.settle().await;
        Ok(tab)
    }

    // What a user does.

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

    // What the server's side does.

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

    // What there is to see.

    /// The view's markup as the client has it.
    pub fn html(&self) -> &str {
        self.client.html()
    }

    /// The text of the one element that a selector finds, with white space folded.
    ///
    /// # Panics
    /// If it finds none, or several.
    pub fn text(&self, selector: &str) -> String {
        let (html, page) = self.parsed();
        dom::text(dom::one(&html, selector, &page))
    }

    /// The texts of all elements that a selector finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let (html, _) = self.parsed();
        dom::select(&html, selector).into_iter().map(dom::text).collect()
    }

    /// An attribute of the one element that a selector finds.
    ///
    /// # Panics
    /// If it finds none, or several.
    pub fn attr(&self, selector: &str, name: &str) -> Option<String> {
        let (html, page) = self.parsed();
        dom::one(&html, selector, &page).attr(name).map(str::to_owned)
    }

    /// How many elements a selector finds.
    pub fn count(&self, selector: &str) -> usize {
        let (html, _) = self.parsed();
        dom::select(&html, selector).len()
    }

    /// Whether a selector finds anything.
    pub fn has(&self, selector: &str) -> bool {
        self.count(selector) > 0
    }

    /// The page's title, once the view has set one.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The page's address.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The events that the view has pushed since the last call.
    pub fn events(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.events)
    }

    /// Where the view has sent the browser.
    pub fn departure(&self) -> Option<&Departure> {
        self.departure.as_ref().map(|(departure, _)| departure)
    }

    /// Goes where the view has sent the browser, as the client does: a navigation joins over the same socket and falls back
    /// to a page load where that is refused.
    ///
    /// # Panics
    /// If the view has sent it nowhere, or the page there can't be opened.
    pub async fn follow(self) -> Self {
        let html = self.html().to_owned();
        let Some((departure, flash)) = self.departure else {
            panic!("the view has sent nobody away. The page:\n{html}")
        };
        let mut browser = self.browser;
        let path = match departure {
            Departure::Redirect(path) => path,
            Departure::Navigate(path) => {
                let payload = json!({
                    "redirect": format!("http://localhost{path}"),
                    "session": self.tokens.session,
                    "static": self.tokens.fixed,
                    "flash": flash,
                    "params": { "_csrf_token": self.tokens.csrf, "_mounts": 0, "_mount_attempts": 0 },
                });
                if let Ok(tab) = Self::connect(browser.clone(), self.tokens, &path, &payload).await {
                    return tab;
                }
                path
            }
        };
        if let Some(flash) = flash {
            browser.cookies.insert(crate::FLASH_COOKIE.to_owned(), flash);
        }
        browser.open(&path).await
    }

    /// Joins again, as after a lost connection: with the same tokens, at the present address.
    ///
    /// # Panics
    /// If the join is refused.
    pub async fn reconnect(self) -> Self {
        self.try_reconnect().await.unwrap_or_else(|refused| panic!("{refused}"))
    }

    /// Joins again; otherwise the join's error.
    pub async fn try_reconnect(self) -> Result<Self, String> {
        let Self { browser, tokens, path, view, .. } = self;
        drop(view);
        let payload = json!({
            "url": format!("http://localhost{path}"),
            "session": tokens.session,
            "static": tokens.fixed,
            "params": { "_csrf_token": tokens.csrf, "_mounts": 1, "_mount_attempts": 0 },
        });
        Self::connect(browser, tokens, &path, &payload).await
    }

    /// Closes the page; its browser can open another.
    pub fn close(self) -> Browser {
        self.browser
    }

    /// The same page's tokens in another browser: what a thief has.
    pub fn given_to(mut self, browser: Browser) -> Self {
        self.browser = browser;
        self
    }

    /// Puts the browser before another application, for a [`try_reconnect`](Self::try_reconnect) after a restart.
    pub fn before(mut self, live: &crate::Live) -> Self {
        self.browser = self.browser.before(live);
        self
    }

    // How the kit works.

    fn parsed(&self) -> (Html, String) {
        (Html::parse_fragment(self.html()), self.html().to_owned())
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

    fn take(&mut self, frames: Frames) -> Option<Value> {
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
    fn beside(&mut self, diff: &Value) {
        if let Some(title) = diff["t"].as_str() {
            self.title = Some(title.to_owned());
        }
        for event in diff["e"].as_array().into_iter().flatten() {
            self.events.push((event[0].as_str().unwrap_or_default().to_owned(), event[1].clone()));
        }
    }

    /// The merged page must be the rendered page.
    fn check(&mut self) {
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

impl std::fmt::Debug for Tab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tab").field("path", &self.path).field("html", &self.html()).finish_non_exhaustive()
    }
}

/// A message of the server's side.
fn told(message: Msg<LiveChannel>) -> Option<Wake> {
    match message {
        Msg::Info(wake) => Some(wake),
        Msg::Wire(_) => None,
    }
}

/// What a click does.
enum Action {
    Push(Vec<Value>),
    Patch(String),
    Navigate(String),
}

impl Action {
    fn of_click(element: ElementRef<'_>, selector: &str) -> Self {
        if let (Some(link), Some(href)) = (element.attr("data-phx-link"), element.attr("href")) {
            return if link == "patch" {
                Self::Patch(href.to_owned())
            } else {
                Self::Navigate(href.to_owned())
            };
        }
        let Some(click) = element.attr("phx-click") else {
            panic!(
                "a click on {selector:?} does nothing: it has no phx-click and is no live link:\n{}",
                element.html()
            )
        };
        if !click.starts_with('[') {
            return Self::Push(vec![push(element, "click", click, &Value::Null, &json!({}))]);
        }
        let commands: Vec<(String, Value)> = serde_json::from_str(click)
            .unwrap_or_else(|error| panic!("phx-click of {selector:?}: {error}: {click}"));
        let mut pushes = Vec::new();
        for (kind, args) in commands {
            let href = || args["href"].as_str().unwrap_or_default().to_owned();
            match kind.as_str() {
                "push" => {
                    let event = args["event"].as_str().unwrap_or_default();
                    pushes.push(push(element, "click", event, &args["target"], &args["value"]));
                }
                "patch" => return Self::Patch(href()),
                "navigate" => return Self::Navigate(href()),
                // The client's own affair.
                _ => {}
            }
        }
        Self::Push(pushes)
    }
}

/// The payload of an event of an element.
fn push(element: ElementRef<'_>, kind: &str, event: &str, target: &Value, more: &Value) -> Value {
    let mut value = serde_json::Map::new();
    for (name, content) in element.value().attrs() {
        if let Some(name) = name.strip_prefix("phx-value-") {
            value.insert(name.to_owned(), content.into());
        }
    }
    if matches!(element.value().name(), "button" | "input") {
        value.insert("value".to_owned(), element.attr("value").unwrap_or_default().into());
    }
    value.extend(more.as_object().cloned().unwrap_or_default());
    json!({ "type": kind, "event": event, "value": value, "cid": cid(element, target) })
}

/// The component that an event is for: by number, or the one around the element.
fn cid(element: ElementRef<'_>, target: &Value) -> Option<i64> {
    if let Some(number) = target.as_i64() {
        return Some(number);
    }
    let target = target.as_str().or_else(|| element.attr("phx-target"))?;
    target.parse().ok().or_else(|| dom::component_around(element))
}

fn form_event(form: ElementRef<'_>, attribute: &str, encoded: &str, meta: &Value) -> Value {
    let Some(event) = form.attr(attribute) else { panic!("the form has no {attribute}:\n{}", form.html()) };
    let cid = cid(form, &Value::Null);
    json!({ "type": "form", "event": event, "value": encoded, "meta": meta, "cid": cid })
}
