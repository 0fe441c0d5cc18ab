//! The first answer over plain HTTP: the view rendered once, with what the browser needs to join.
//!
//! Invariant: the page is complete without its script; with it, the join finds the same view, address, session and
//! flash in the tokens.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt as _;

use crate::connected::CrashCount;
use crate::csrf::{self, BrowserId};
use crate::document::Document;
use crate::flash::{self, Flash};
use crate::join::{SessionToken, StaticToken};
use crate::live::{Inner, Live};
use crate::mounted::Arrival;
use crate::path::LocalPath;
use crate::route::{AnyRoute, DeadView};
use crate::token::{Purpose, unix_now};
use crate::tree::Rendered;
use crate::view::Halt;

impl Live {
    /// The routes of all views, for plain GET requests.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let live = self.inner.clone();
        let paths = self.inner.routes.iter().map(|(path, _)| path);
        paths.fold(Router::new(), |router, path| router.route(path, get(serve))).with_state(live)
    }

    /// The cookie that makes the next page show a flash: for the application's own redirects after a plain form.
    /// `None` if there is nothing to say.
    pub fn flash_cookie(&self, flash: &Flash) -> Option<String> {
        flash_cookie(&self.inner, flash)
    }
}

fn flash_cookie(live: &Inner, flash: &Flash) -> Option<String> {
    let token = flash.sign(&live.keys, unix_now())?;
    let more = if live.secure { "; Secure" } else { "" };
    Some(format!("{}={token}; Path=/; Max-Age=60; SameSite=Lax{more}", flash::COOKIE))
}

async fn serve(State(live): State<Arc<Inner>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let original = parts.extensions.get::<axum::extract::OriginalUri>().map(|uri| &uri.0);
    let address = original.unwrap_or(&parts.uri).path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = LocalPath::parse(address) else { return StatusCode::BAD_REQUEST.into_response() };
    let known = BrowserId::from_headers(&parts.headers, live.secure);
    let mut headers = HeaderMap::new();
    let browser = known.unwrap_or_else(|| {
        let browser = BrowserId::random();
        set_cookie(&mut headers, &browser.set_cookie(live.secure));
        browser
    });
    let now = unix_now();
    let carried = csrf::cookie(&parts.headers, flash::COOKIE);
    if carried.is_some() {
        set_cookie(&mut headers, &format!("{}=; Path=/; Max-Age=0", flash::COOKIE));
    }
    let flash = carried.map(|token| Flash::open(&live.keys, token, now)).unwrap_or_default();
    let visit = Visit { live: &live, browser: &browser, uri: &uri, flash };
    let (status, markup) = match visit.render(&parts).await {
        Ok(rendered) => (StatusCode::OK, rendered),
        Err(Halt::Status(status)) => (status, visit.error(status)),
        Err(Halt::Redirect { to, flash } | Halt::Navigate { to, flash }) => {
            if let Some(cookie) = flash_cookie(&live, &flash) {
                set_cookie(&mut headers, &cookie);
            }
            if let Ok(to) = HeaderValue::from_str(to.as_str()) {
                headers.insert(LOCATION, to);
            }
            return (StatusCode::FOUND, headers).into_response();
        }
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    // The tokens are of this browser: nobody else may be given them.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (status, headers, markup.to_html()).into_response()
}

fn set_cookie(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        headers.append(SET_COOKIE, value);
    }
}

/// One request for a page.
struct Visit<'a> {
    live: &'a Arc<Inner>,
    browser: &'a BrowserId,
    uri: &'a LocalPath,
    flash: Flash,
}

impl Visit<'_> {
    async fn render(&self, parts: &Parts) -> Result<Rendered, Halt> {
        let (route, params) = self.live.route(self.uri).ok_or(Halt::NOT_FOUND)?;
        let params = params.map_err(|_| Halt::Status(StatusCode::BAD_REQUEST))?;
        let session = route.session(parts).await;
        let mut arrival = Arrival::new(self.live.clone(), false, self.uri.clone(), self.flash.clone());
        arrival.csrf_token = csrf::token(&self.live.keys, self.browser).into();
        let rendering = async {
            let _count = CrashCount(self.live.clone());
            route.dead(arrival, &session, params).await
        };
        let dead = AssertUnwindSafe(rendering).catch_unwind().await.map_err(|_| {
            tracing::error!(view = route.view(), "view crashed in its first render");
            Halt::Status(StatusCode::INTERNAL_SERVER_ERROR)
        })??;
        self.live.counters.dead_renders.one();
        Ok(self.document(route, &session, dead))
    }

    /// The view in its container, in its layout.
    fn document(&self, route: &Arc<dyn AnyRoute>, session: &crate::Session, dead: DeadView) -> Rendered {
        let DeadView { html, title, layout } = dead;
        let id = format!("phx-{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>()));
        let now = unix_now();
        let bound = self.browser.as_bytes();
        let session_token = SessionToken {
            id: id.clone(),
            view: route.view().to_owned(),
            live_session: route.group().to_owned(),
            session: session.clone(),
        };
        let static_token = StaticToken { id: id.clone(), flash: self.flash.clone() };
        let session_token = self.live.keys.sign(Purpose::Session, bound, &session_token, now);
        let static_token = self.live.keys.sign(Purpose::Static, bound, &static_token, now);
        // Ids and tokens are base64url: nothing in them needs escaping.
        let main = format!(
            "<div id=\"{id}\" data-phx-main data-phx-session=\"{session_token}\" \
             data-phx-static=\"{static_token}\">{html}</div>"
        );
        let csrf_token = csrf::token(&self.live.keys, self.browser);
        layout(&Document { title: title.as_deref(), csrf_token: &csrf_token, uri: self.uri, main: &main })
    }

    fn error(&self, status: StatusCode) -> Rendered {
        let csrf_token = csrf::token(&self.live.keys, self.browser);
        let document = Document { title: None, csrf_token: &csrf_token, uri: self.uri, main: "" };
        (self.live.error_page)(status, &document)
    }
}
