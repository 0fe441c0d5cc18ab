//! A page of the shop that is open in a browser, over a real socket: its tokens, and the diffs that it merges.

use hyper::Method;
use live::merge::Client as Merged;
use serde_json::{Value, json};

use crate::socket::Socket;
use crate::stage::{Client, Shop};

/// What a document gives the client to join with.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) csrf: String,
    pub(crate) id: String,
    pub(crate) session: String,
    pub(crate) fixed: String,
}

/// The text behind `before`, up to the next quote.
fn attribute(html: &str, before: &str) -> String {
    let from = html.find(before).unwrap_or_else(|| panic!("no {before} in {html}")) + before.len();
    html[from..].split('"').next().unwrap().to_owned()
}

impl Tokens {
    /// Loads a page as a browser does, with its cookies.
    pub(crate) async fn of(browser: &mut Client, path: &str) -> Self {
        let page = browser.send(Method::GET, path, &[("accept", "text/html")], None).await;
        assert_eq!(page.status, 200, "{path}");
        let html = &page.text;
        Self {
            csrf: attribute(html, "name=\"csrf-token\" content=\""),
            id: attribute(html, "<div id=\"phx-").split('"').next().map(|id| format!("phx-{id}")).unwrap(),
            session: attribute(html, "data-phx-session=\""),
            fixed: attribute(html, "data-phx-static=\""),
        }
    }

    pub(crate) fn topic(&self) -> String {
        format!("lv:{}", self.id)
    }

    /// The payload of a join at an address.
    pub(crate) fn join(&self, path: &str) -> Value {
        json!({
            "url": format!("http://shop{path}"), "session": self.session, "static": self.fixed,
            "params": { "_csrf_token": self.csrf, "_mounts": 0, "_mount_attempts": 0 },
        })
    }
}

/// The socket of a browser's pages.
pub(crate) async fn socket(shop: &Shop, browser: &Client, csrf: &str) -> Socket {
    let (path, cookies) = door(browser, csrf);
    Socket::at(shop.address, &path, &cookies).await.unwrap()
}

/// Where that socket is, and the cookies that a browser brings there.
pub(crate) fn door(browser: &Client, csrf: &str) -> (String, String) {
    let path = format!("/live/websocket?_csrf_token={csrf}&_mounts=0&_mount_attempts=0&vsn=2.0.0");
    let cookies: Vec<String> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (path, cookies.join("; "))
}

/// A catalogue that somebody has open.
pub(crate) struct OpenPage {
    socket: Socket,
    topic: String,
    page: Merged,
    clicks: u32,
}

impl OpenPage {
    pub(crate) async fn open(shop: &Shop) -> Self {
        let mut browser = shop.client();
        let tokens = Tokens::of(&mut browser, "/").await;
        let mut socket = socket(shop, &browser, &tokens.csrf).await;
        let topic = tokens.topic();
        let (status, response) = socket.join(&topic, tokens.join("/")).await;
        assert_eq!(status, "ok", "{response}");
        let page = Merged::join(&response["rendered"].to_string()).unwrap();
        Self { socket, topic, page, clicks: 0 }
    }

    /// Puts one more piece into the cart, and waits until the page counts it.
    pub(crate) async fn click(&mut self) {
        self.clicks += 1;
        let reference = self.socket.reference();
        let add = json!({ "type": "click", "event": "add", "value": { "sku": "A1", "value": "" } });
        self.socket.send(json!([self.topic, reference, self.topic, "event", add]).to_string()).await;
        let mut answered = false;
        let counted = format!("<span class=\"count\">{} ", self.clicks);
        while !(answered && self.page.html().contains(&counted)) {
            answered |= self.hear().await == Some(reference.clone());
        }
    }

    /// Waits until the page shows a text.
    pub(crate) async fn shows(&mut self, text: &str) {
        while !self.page.html().contains(text) {
            self.hear().await;
        }
    }

    /// Takes the next message and merges it; the ref that it answers.
    async fn hear(&mut self) -> Option<String> {
        let frame = self.socket.receive().await.expect("an innocent page's socket stays open");
        assert_eq!(frame[2], self.topic.as_str(), "nothing of others: {frame}");
        let diff = match frame[3].as_str() {
            Some("diff") => &frame[4],
            Some("phx_reply") => {
                assert_eq!(frame[4]["status"], "ok", "{frame}");
                &frame[4]["response"]["diff"]
            }
            _ => panic!("an innocent page hears only diffs and answers: {frame}"),
        };
        if diff.is_object() {
            self.page.merge(&diff.to_string()).unwrap();
        }
        frame[1].as_str().map(str::to_owned)
    }
}
