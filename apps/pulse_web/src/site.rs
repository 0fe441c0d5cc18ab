//! The pages of the shop: live views on Phoenix's wire, in the browser by the official clients.
//!
//! **Invariant.** A page does nothing that the API could not: it asks the same rooms, in the name of its visitor. What a
//! page shows is followed by news, and read from its owner.
//!
//! | module | what it does |
//! |---|---|
//! | `visitor` | who looks, and whom a group of pages lets in |
//! | `layout`, `frame`, `parts`, `roll` | the document, what stands around each view, shared pieces, lists that are read bit by bit |
//! | `entry` | signing in, up and out, by plain forms |
//! | `shoppers` | who is in the shop now |
//! | `shop`, `account`, `office` | the views |

mod account;
mod entry;
mod frame;
mod layout;
mod office;
mod parts;
mod roll;
mod shop;
mod shoppers;
mod visitor;

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use live::token::KeyError;
use live::{Live, LiveSession, RouteError};

use crate::identity;
use crate::program::Programs;
use crate::state::AppState;
use entry::Sockets;
pub(crate) use office::Figures;
pub(crate) use shoppers::Shoppers;
use visitor::{Admits, Visitors};

/// Why the pages can't be opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// The secrets that sign the pages' tokens can't be used.
    #[error("the pages' secrets can't be used: {0}")]
    Secrets(#[from] KeyError),
    /// Two pages have one address.
    #[error(transparent)]
    Routes(#[from] RouteError),
    /// The supervisor of the open pages did not start.
    #[error("the supervisor of the open pages can't start: {0:?}")]
    Supervisor(otp::Exit),
}

/// The pages, ready to be served. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Site {
    sockets: Sockets,
    programs: Programs,
}

impl Site {
    pub(crate) async fn open(state: &AppState) -> Result<Self, OpenError> {
        let keys = live::token::Keys::new(state.config().secrets.iter())?;
        let group = |name, admits| {
            LiveSession::new(name, Visitors { state: state.clone(), admits })
                .layout(|page, _| layout::document(page))
        };
        let live = Live::builder(keys)
            .secure(state.config().is_https())
            .error_page(layout::error)
            .session(shop::views(group("shop", Admits::Everybody)))
            .session(account::views(group("account", Admits::Accounts)))
            .session(office::views(group("office", Admits::Staff)))
            .build()?;
        let endpoint = live.endpoint().start().await.map_err(OpenError::Supervisor)?;
        let (views, pages) = (live.clone(), endpoint.clone());
        let open = move || (views.stats().connected, pages.stats().sockets);
        let programs = Programs::open(state, open).await.map_err(OpenError::Supervisor)?;
        Ok(Self { sockets: Sockets { live, endpoint }, programs })
    }

    /// The pages, their socket, and the forms that need no script.
    pub(crate) fn routes(&self, state: &AppState) -> Router<AppState> {
        let pages = self.sockets.live.routes().merge(entry::routes(self.sockets.clone()));
        let pages = pages.layer(axum::middleware::from_fn_with_state(state.clone(), prepare));
        pages.merge(self.sockets.endpoint.routes("/live")).merge(self.programs.routes())
    }

    /// The views and their routes.
    pub(crate) fn live(&self) -> &Live {
        &self.sockets.live
    }

    /// What the open pages have done so far.
    pub(crate) fn stats(&self) -> (live::Stats, channels::Stats) {
        (self.sockets.live.stats(), self.sockets.endpoint.stats())
    }

    /// What the sockets of programs have done so far.
    pub(crate) fn programs(&self) -> channels::Stats {
        self.programs.stats()
    }

    /// Closes the open pages, so that their browsers go elsewhere, closes the sockets of programs too, and waits for
    /// them at most so long.
    pub(crate) async fn drain(&self, patience: Duration) -> bool {
        let (pages, programs) =
            tokio::join!(self.sockets.endpoint.drain(patience), self.programs.drain(patience));
        pages && programs
    }
}

/// The answer to an address that is nobody's, for whoever asks for a page.
pub(crate) fn nothing_here(https: bool, host: &str) -> Response {
    let status = StatusCode::NOT_FOUND;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, layout::policy(host, https)),
    ];
    (status, headers, layout::plain(status).to_html()).into_response()
}

/// Gives a visitor without a cart the cookie of one, so that the page that is rendered now and its live half agree on
/// it, and sends the policy of what pages may load.
async fn prepare(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let config = state.config();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let policy = layout::policy(host, config.is_https());
    let mut given = None;
    if identity::guest_cart_of(request.headers(), config).is_none()
        && let Some((sent, set)) = identity::new_guest_cart(config)
    {
        request.headers_mut().append(header::COOKIE, sent);
        request.extensions_mut().insert(visitor::NewCart);
        given = Some(set);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if let Some(cookie) = given {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}
