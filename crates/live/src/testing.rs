//! Drives views in process, without sockets: for the tests of those who write views.
//!
//! Invariant: the kit sees the page only as a browser would. It joins with the tokens of the first answer, merges each
//! diff by the client's rules, and after every message compares the outcome with a full render: so each test of a view is a
//! test of the diff too. What a user could not do (click what is not there, type into a field that the form lacks)
//! fails with a message that shows the page.
//!
//! ```
//! # use live::{Ctx, Dyn, Halt, Live, LiveSession, LiveView, Page, Public, Rendered, Template};
//! # use serde::Deserialize;
//! # struct Counter { count: i64 }
//! # #[derive(Deserialize)]
//! # #[serde(rename_all = "snake_case")]
//! # enum Event { Add { by: i64 } }
//! # impl LiveView for Counter {
//! #     type Scope = ();
//! #     type Params = ();
//! #     type Event = Event;
//! #     type Info = ();
//! #     async fn mount(_: &(), _: &mut Ctx<'_, Self>) -> Result<Self, Halt> { Ok(Self { count: 0 }) }
//! #     async fn handle_event(&mut self, event: Event, _: &mut Ctx<'_, Self>) {
//! #         let Event::Add { by } = event;
//! #         self.count += by;
//! #     }
//! #     fn render(&self, _: &Page) -> Rendered {
//! #         static VIEW: Template =
//! #             Template::new(&["<button phx-click=\"add\" phx-value-by=\"2\">", "</button>"], true);
//! #         Rendered::new(&VIEW, vec![Dyn::text(self.count.to_string())])
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = live::token::Keys::new([[7_u8; 32]])?;
//! # let live = Live::builder(keys).session(LiveSession::new("public", Public(())).view::<Counter>("/")).build()?;
//! use live::testing::Browser;
//!
//! let mut page = Browser::new(&live).open("/").await;
//! page.click("button").await;
//! page.click("button").await;
//! assert_eq!(page.text("button"), "4");
//! # Ok(())
//! # }
//! ```

mod dom;
mod fields;
mod tab;

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use tower::ServiceExt as _;

use crate::live::Live;
pub use tab::{Departure, Tab};

/// A visitor's browser: cookies, and headers that every request carries.
#[derive(Clone, Debug)]
pub struct Browser {
    live: Live,
    cookies: BTreeMap<String, String>,
    headers: HeaderMap,
    mailbox: u32,
}

/// The answer to a plain request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The document.
    pub html: String,
}

impl Browser {
    /// A browser without cookies.
    pub fn new(live: &Live) -> Self {
        Self {
            live: live.clone(),
            cookies: BTreeMap::new(),
            headers: HeaderMap::new(),
            mailbox: tab::MAILBOX,
        }
    }

    /// With room for so many messages that wait for a view: what comes when it is full, the view is not told.
    pub fn mailbox(mut self, messages: u32) -> Self {
        self.mailbox = messages;
        self
    }

    /// With a cookie, such as the application's own session.
    pub fn cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With a header in every request.
    ///
    /// # Panics
    /// If it is none.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap_or_else(|_| panic!("{value:?} is no header value"));
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// The same browser, before another application: after a restart with other keys, say.
    pub fn before(mut self, live: &Live) -> Self {
        self.live = live.clone();
        self
    }

    /// Loads a page over plain HTTP, as a browser without script would. Keeps the cookies that it is given.
    ///
    /// # Panics
    /// If the answer is no text.
    pub async fn get(&mut self, path: &str) -> Answer {
        let mut request =
            Request::get(path).body(Body::empty()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        *request.headers_mut() = self.request_headers();
        let Ok(response) = self.live.routes::<()>().oneshot(request).await;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap_or_default();
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                if cookie.contains("Max-Age=0") {
                    self.cookies.remove(name);
                } else {
                    self.cookies.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        let status = response.status();
        let location = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
        let html =
            String::from_utf8(body.to_vec()).unwrap_or_else(|_| panic!("{path}: the document is not UTF-8"));
        Answer { status, location, html }
    }

    /// Loads a page and joins it.
    ///
    /// # Panics
    /// If the first answer is not 200, or the join is refused: see [`try_open`](Self::try_open).
    pub async fn open(self, path: &str) -> Tab {
        self.try_open(path).await.unwrap_or_else(|refused| panic!("{path}: {refused}"))
    }

    /// Loads a page and joins it; otherwise the first answer's status and place, or the join's error.
    pub async fn try_open(mut self, path: &str) -> Result<Tab, String> {
        let answer = self.get(path).await;
        if answer.status != StatusCode::OK {
            let to = answer.location.unwrap_or_default();
            return Err(format!("the first answer was {} {to}", answer.status));
        }
        Tab::join(self, path, &answer.html).await
    }

    fn request_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if let Ok(value) = HeaderValue::from_str(&pairs.join("; ")) {
                headers.insert(COOKIE, value);
            }
        }
        headers
    }
}
