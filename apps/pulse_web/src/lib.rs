//! The shop's pages and its HTTP API.
//!
//! [`Web`] makes an [`axum::Router`] of the rooms that it is given, [`serve`] answers connections with it, and
//! [`openapi`] describes it. The module [`problem`] says what an answer is that is no success.
//!
//! **Invariant.** This room knows HTTP and nothing else: it names no SQL, gives nobody a permission (the contexts do), and
//! whatever a client sends, the answer is described by the OpenAPI document.
//!
//! | module | what it does |
//! |---|---|
//! | `edge` | what every request passes: id, allowance, deadline, panics, headers, problems |
//! | `identity` | sessions, bearer tokens, guest carts, CSRF, idempotency keys |
//! | `permit` | what a door asks for before it reads what was sent |
//! | `extract`, [`field`] | bodies, queries and paths as checked types |
//! | `api` | the resources |
//! | `error` | every room's errors to problems, in one match |
//! | `openapi`, `pages` | the description, for programs and for people |
//! | `site`, `assets` | the live pages, and the files that they load |
//! | `news`, `turns`, `listings` | what open pages are told and when, and lists that many begin with |

mod api;
mod assets;
mod config;
mod edge;
mod error;
mod extract;
mod faults;
pub mod field;
mod identity;
mod limit;
mod listings;
mod news;
mod openapi;
mod pages;
mod permit;
pub mod problem;
mod program;
mod serve;
mod site;
mod state;
mod turns;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub use channels::Stats as SocketStats;
pub use config::{Rate, WebConfig};
pub use edge::RequestId;
pub use news::{LocalBus, News, Topic};
pub use openapi::openapi;
pub use serve::{ServeOptions, serve, serve_with};
pub use site::OpenError;
pub use state::{AppState, Rooms, WebStats};

use problem::{Kind, Problem};

/// The shop's door, open. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    state: AppState,
    site: site::Site,
}

impl Web {
    /// Opens the pages, whose open ones need a supervisor.
    pub async fn open(state: AppState) -> Result<Self, OpenError> {
        let site = site::Site::open(&state).await?;
        Ok(Self { state, site })
    }

    /// Everything that the shop answers over HTTP.
    pub fn router(&self) -> Router {
        let (routes, description) = api::routes().split_for_parts();
        let document = openapi::finish(description, self.state.config());
        let json = bytes::Bytes::from(api::json(&document));
        let docs = pages::docs(&document);
        let edge = edge::EdgeLayer::new(self.state.config());
        routes
            .merge(self.site.routes(&self.state))
            .route("/assets/{file}", get(assets::serve))
            .route("/api/docs", get(|| async move { docs.clone() }))
            .route(
                "/api/openapi.json",
                get(|| async move {
                    let headers = [
                        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
                    ];
                    (headers, json.clone()).into_response()
                }),
            )
            .fallback(nothing_here)
            .method_not_allowed_fallback(async || {
                Problem::new(Kind::MethodNotAllowed, "the header `Allow` tells what can be done here")
            })
            .layer(edge)
            .with_state(self.state.clone())
    }

    /// The live pages, for tests that open them in process.
    pub fn pages(&self) -> &live::Live {
        self.site.live()
    }

    /// What the open pages and their sockets have done so far.
    pub fn stats(&self) -> (live::Stats, channels::Stats) {
        self.site.stats()
    }

    /// News that did not reach a page because its mailbox was full.
    pub fn missed_news(&self) -> u64 {
        self.state.rooms().bus.missed()
    }

    /// What the sockets of programs have done so far.
    pub fn programs(&self) -> channels::Stats {
        self.site.programs()
    }

    /// Sends the browsers of open pages elsewhere and waits for them, at most so long. Whether all are gone.
    pub async fn drain(&self, patience: std::time::Duration) -> bool {
        self.site.drain(patience).await
    }
}

/// Programs are told by a problem, people by a page.
async fn nothing_here(State(state): State<AppState>, uri: Uri, headers: HeaderMap) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !uri.path().starts_with("/api/") && text(header::ACCEPT).contains("text/html") {
        return site::nothing_here(state.config().is_https(), text(header::HOST));
    }
    Problem::new(Kind::NotFound, "nothing is at this address; /api/docs tells what is").into_response()
}
