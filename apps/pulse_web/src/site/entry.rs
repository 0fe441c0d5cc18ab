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
use pulse_data::accounts::{AccountError, Registration, SignedIn};
use serde::Deserialize;

use crate::api::sessions::{self, Attempt, SESSION_AGE};
use crate::identity::{self, cart_of_guest, cart_of_user, cookie};
use crate::problem::Problem;
use crate::state::AppState;

/// Characters of an e-mail address at most, in bytes: what the accounts take.
const MAX_EMAIL: usize = 254;

pub(crate) fn routes(sockets: Sockets) -> Router<AppState> {
    Router::new()
        .route("/login", post(sign_in))
        .route("/register", post(register))
        .route("/logout", post(sign_out))
        .merge(super::shop::posts::routes())
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

    /// The form again, which goes on to the same place.
    fn again(&self, form: &'static str) -> LocalPath {
        let form = LocalPath::of(form);
        if self.next.is_empty() { form } else { form.query("next", self.next()) }
    }
}

/// A request that is proved to come from a page of ours.
pub(super) struct Ours<'a> {
    state: &'a AppState,
    sockets: &'a Sockets,
    headers: &'a HeaderMap,
    browser: Option<BrowserId>,
}

impl<'a> Ours<'a> {
    /// `again` is the page of the form: where one is sent whose proof is too old.
    pub(super) fn check(
        state: &'a AppState,
        sockets: &'a Sockets,
        headers: &'a HeaderMap,
        proof: &str,
        again: &LocalPath,
    ) -> Result<Self, Box<Response>> {
        let browser = BrowserId::from_headers(headers, state.config().is_https());
        let proved =
            browser.as_ref().is_some_and(|browser| csrf::verify(sockets.live.keys(), browser, proof));
        if identity::from_the_shop(headers, state.config()).is_err() || !proved {
            let mut too_old = Flash::default();
            too_old.put("error", "This page was open for too long. Please try again.");
            return Err(Box::new(go(&sockets.live, again, &too_old)));
        }
        Ok(Self { state, sockets, headers, browser })
    }

    pub(super) fn back(&self, to: &LocalPath, what: &str) -> Response {
        let mut flash = Flash::default();
        flash.put("error", what);
        go(&self.sockets.live, to, &flash)
    }

    /// Back to a form, which keeps the e-mail address that was typed. It travels as the flash does: signed, once, and in
    /// no address that a log would keep.
    pub(super) fn refuse(&self, to: &LocalPath, what: &str, email: &str) -> Response {
        let mut flash = Flash::default();
        flash.put("error", what);
        if email.len() <= MAX_EMAIL {
            flash.put("email", email);
        }
        go(&self.sockets.live, to, &flash)
    }

    /// Onwards, with good news.
    pub(super) fn go(&self, to: &LocalPath, what: &str) -> Response {
        let mut flash = Flash::default();
        flash.put("info", what);
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
    let again = given.again("/login");
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof, &again) {
        Ok(ours) => ours,
        Err(response) => return *response,
    };
    if let Err(problem) = attempt {
        return ours.refuse(&again, &super::shop::sentence(&problem.detail), &given.email);
    }
    match state.rooms().accounts.sign_in(&given.email, &given.password, client(&headers)).await {
        Ok(session) => ours.enter(&session, &given.next(), "Welcome back.").await,
        Err(error) => ours.refuse(&again, &said(&error), &given.email),
    }
}

async fn register(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    attempt: Result<Attempt, Problem>,
    headers: HeaderMap,
    Form(given): Form<Fields>,
) -> Response {
    let again = given.again("/register");
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof, &again) {
        Ok(ours) => ours,
        Err(response) => return *response,
    };
    if let Err(problem) = attempt {
        return ours.refuse(&again, &super::shop::sentence(&problem.detail), &given.email);
    }
    let accounts = &state.rooms().accounts;
    let wanted =
        Registration { email: given.email.clone(), password: given.password.clone(), role: Role::Buyer };
    if let Err(error) = accounts.register(&Principal::Guest, wanted).await {
        return ours.refuse(&again, &said(&error), &given.email);
    }
    match accounts.sign_in(&given.email, &given.password, client(&headers)).await {
        Ok(session) => ours.enter(&session, &given.next(), "Welcome. Your account is ready.").await,
        Err(error) => ours.refuse(&given.again("/login"), &said(&error), &given.email),
    }
}

async fn sign_out(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    headers: HeaderMap,
    Form(given): Form<Fields>,
) -> Response {
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof, &LocalPath::of("/login")) {
        Ok(ours) => ours,
        Err(response) => return *response,
    };
    if let Some(secret) = identity::session_of(&headers, state.config()) {
        if let Err(error) = state.rooms().accounts.sign_out(secret).await {
            tracing::warn!(%error, "a session could not be ended");
            return ours.back(
                &LocalPath::of("/account"),
                "You are still signed in: the shop can't answer. Try again.",
            );
        }
        identity::forget(&state, secret).await;
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

pub(super) fn said(error: &AccountError) -> String {
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

pub(super) fn go(live: &Live, to: &LocalPath, flash: &Flash) -> Response {
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
