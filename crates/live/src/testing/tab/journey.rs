//! Where an open page comes from and goes: joins, navigations, lost connections, other browsers.
//!
//! **Invariant.** A page joins with what its document gave it and nothing else, as the official client does.

use std::collections::BTreeMap;

use scraper::Html;
use serde_json::{Value, json};

use super::super::{Browser, dom};
use super::{Departure, Tab};
use crate::csrf;
use crate::join::{JoinPayload, join};
use crate::merge::Client;

/// What the document gave the client to join with.
#[derive(Clone)]
pub(super) struct Tokens {
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
    pub(in crate::testing) async fn join(
        browser: Browser,
        path: &str,
        document: &str,
    ) -> Result<Self, String> {
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
        let (mailbox, inbox) = otp::inbox(browser.mailbox);
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
}
