//! Signing in, up and out by plain forms: what needs a cookie, and works without a script.
//!
//! **Invariant.** Each answer is a redirect to a page of ours, so that going back or loading again repeats nothing; what
//! went wrong is said there. Each form carries the proof that it comes from a page of ours.

use axum::extract::{Form, State};
use axum::http::header::{LOCATION, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use live::csrf::{self, BrowserId};
use live::{Flash, Live, LocalPath};
use pulse_core::{Principal, Role};
use pulse_data::accounts::{AccountError, Accounts, Registration, SignedIn};
use serde::Deserialize;

use super::visitor::sign_in_first;
use crate::api::sessions::{self, Attempt, SESSION_AGE};
use crate::identity::{self, Secret, cart_of_guest, cart_of_user, cookie};
use crate::problem::Problem;
use crate::state::AppState;

pub(crate) fn routes(sockets: Sockets) -> Router<AppState> {
    Router::new()
        .route("/login", post(sign_in))
        .route("/register", post(register))
        .route("/logout", post(sign_out))
        .layer(Extension(sockets))
}

/// The live pages, and how to close those of a browser.
#[derive(Clone)]
pub(crate) struct Sockets {
    pub(crate) live: Live,
    pub(crate) endpoint: channels::Endpoint<live::LiveSocket>,
}

/// What the forms send. A field that is missing is empty.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Fields {
    #[serde(rename = "_csrf_token")]
    proof: String,
    #[serde(rename = "account[email]")]
    email: String,
    #[serde(rename = "account[password]")]
    password: String,
    next: String,
}

impl Fields {
    /// Where to go afterwards: a path of this shop, whatever was sent.
    fn next(&self) -> LocalPath {
        LocalPath::parse(&self.next).unwrap_or_else(|_| LocalPath::of("/account"))
    }
}

/// A request that is proved to come from a page of ours.
struct Ours<'a> {
    state: &'a AppState,
    sockets: &'a Sockets,
    headers: &'a HeaderMap,
    browser: Option<BrowserId>,
}

impl<'a> Ours<'a> {
    fn check(
        state: &'a AppState,
        sockets: &'a Sockets,
        headers: &'a HeaderMap,
        proof: &str,
    ) -> Result<Self, Response> {
        let browser = BrowserId::from_headers(headers, state.config().is_https());
        let proved =
            browser.as_ref().is_some_and(|browser| csrf::verify(sockets.live.keys(), browser, proof));
        if identity::from_the_shop(headers, state.config()).is_err() || !proved {
            let mut stale = Flash::default();
            stale.put("error", "This page was open for too long. Please try again.");
            return Err(go(&sockets.live, &LocalPath::of("/login"), &stale));
        }
        Ok(Self { state, sockets, headers, browser })
    }

    fn back(&self, to: &LocalPath, what: &str) -> Response {
        let mut flash = Flash::default();
        flash.put("error", what);
        go(&self.sockets.live, to, &flash)
    }

    /// Gives the browser its session, moves the guest's cart, and closes the pages that it has open as somebody else.
    async fn enter(&self, session: &SignedIn, to: &LocalPath, welcome: &str) -> Response {
        let config = self.state.config();
        let mut flash = Flash::default();
        flash.put("info", welcome);
        let mut response = go(&self.sockets.live, to, &flash);
        if let Some(guest) = identity::guest_cart_of(self.headers, config) {
            let (from, to) = (cart_of_guest(guest), cart_of_user(session.user));
            match sessions::merge(self.state, &session.principal, from, to).await {
                Ok(()) => set(&mut response, cookie(config, "cart", "", 0)),
                Err(error) => tracing::warn!(%error, "a guest's cart was not moved at sign-in"),
            }
        }
        set(&mut response, cookie(config, "session", session.token.reveal(), SESSION_AGE));
        self.close_pages();
        response
    }

    fn close_pages(&self) {
        if let Some(browser) = &self.browser {
            self.sockets.endpoint.disconnect(browser.as_str());
        }
    }
}

async fn sign_in(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    attempt: Result<Attempt, Problem>,
    headers: HeaderMap,
    Form(given): Form<Fields>,
) -> Response {
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof) {
        Ok(ours) => ours,
        Err(response) => return response,
    };
    let again = if given.next.is_empty() { LocalPath::of("/login") } else { sign_in_first(&given.next()) };
    if let Err(problem) = attempt {
        return ours.back(&again, &problem.detail);
    }
    match state.rooms().accounts.sign_in(&given.email, &given.password, client(&headers)).await {
        Ok(session) => ours.enter(&session, &given.next(), "Welcome back.").await,
        Err(error) => ours.back(&again, &said(&error)),
    }
}

async fn register(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    attempt: Result<Attempt, Problem>,
    headers: HeaderMap,
    Form(given): Form<Fields>,
) -> Response {
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof) {
        Ok(ours) => ours,
        Err(response) => return response,
    };
    let again = LocalPath::of("/register");
    if let Err(problem) = attempt {
        return ours.back(&again, &problem.detail);
    }
    let accounts = &state.rooms().accounts;
    let wanted =
        Registration { email: given.email.clone(), password: given.password.clone(), role: Role::Buyer };
    if let Err(error) = accounts.register(&Principal::Guest, wanted).await {
        return ours.back(&again, &said(&error));
    }
    match accounts.sign_in(&given.email, &given.password, client(&headers)).await {
        Ok(session) => ours.enter(&session, &given.next(), "Welcome. Your account is ready.").await,
        Err(error) => ours.back(&LocalPath::of("/login"), &said(&error)),
    }
}

async fn sign_out(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    headers: HeaderMap,
    Form(given): Form<Fields>,
) -> Response {
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof) {
        Ok(ours) => ours,
        Err(response) => return response,
    };
    if let Some(secret) = identity::session_of(&headers, state.config()) {
        if let Err(error) = state.rooms().accounts.sign_out(secret).await {
            tracing::warn!(%error, "a session could not be ended");
            return ours.back(
                &LocalPath::of("/account"),
                "You are still signed in: the shop can't answer. Try again.",
            );
        }
        state.sessions().invalidate(&identity::hash(Secret::Session, secret)).await;
        let id = Accounts::session_id(secret);
        state.sessions().invalidate(&identity::hash(Secret::SessionId, &id)).await;
    }
    ours.close_pages();
    let mut flash = Flash::default();
    flash.put("info", "You are signed out.");
    let mut response = go(&sockets.live, &LocalPath::of("/"), &flash);
    set(&mut response, cookie(state.config(), "session", "", 0));
    response
}

fn client(headers: &HeaderMap) -> &str {
    headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn said(error: &AccountError) -> String {
    match error {
        AccountError::Invalid(errors) => {
            let each = errors.0.iter().map(|error| format!("{} {}", error.field, error.message));
            each.collect::<Vec<_>>().join("; ")
        }
        AccountError::Db(error) => {
            tracing::warn!(%error, "signing in failed");
            "The shop can't answer at the moment. Try again shortly.".to_owned()
        }
        other => super::shop::sentence(&other.to_string()),
    }
}

fn go(live: &Live, to: &LocalPath, flash: &Flash) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(to) = HeaderValue::from_str(to.as_str()) {
        response.headers_mut().insert(LOCATION, to);
    }
    let said = live.flash_cookie(flash).and_then(|cookie| HeaderValue::from_str(&cookie).ok());
    set(&mut response, said);
    response
}

fn set(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
