//! Signing up, in and out.
//!
//! **Invariant.** What guesses secrets or sends letters has an allowance of its own, far below that of other requests.
//! Signing in moves what the guest's cart holds into the account's cart, line by line and at the prices of now: each
//! line is put in under an id made of the guest cart's version, then taken out there, so a merge that was cut goes
//! on where it stopped and counts nothing twice.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use pulse_core::{CartId, CommandId, Principal, Role};
use pulse_data::accounts::{Registration, User};
use pulse_fleet::ShopError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accounts::AccountView;
use super::{Answer, no_content};
use crate::edge::Client;
use crate::error::ApiError;
use crate::extract::Json;
use crate::field::{Email, Password, Text, TriedPassword};
use crate::identity::{self, Caller, cart_of_user, cookie};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(get_session, sign_in, sign_out))
        .routes(routes!(request_reset))
        .routes(routes!(reset_password))
}

/// How long a browser keeps its session's cookie, in seconds: 30 days. The session itself ends when the accounts say so.
pub(crate) const SESSION_AGE: u32 = 30 * 24 * 60 * 60;

/// One attempt of the client's allowance for what guesses secrets or sends letters.
pub(crate) struct Attempt;

impl FromRequestParts<AppState> for Attempt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Some(Client(client)) = parts.extensions.get::<Client>() else { return Ok(Self) };
        state.attempts().take(*client).map(|()| Self).map_err(|seconds| Problem {
            retry_after: Some(seconds),
            ..Problem::new(Kind::RateLimited, "too many attempts from your address: wait a little")
        })
    }
}

/// Somebody who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// Names the account; letters go there.
    #[schema(inline)]
    email: Email,
    /// Length is what counts.
    #[schema(inline)]
    password: Password,
}

/// Sign up
///
/// Makes a buyer's account. Sign in afterwards.
#[utoipa::path(
    post,
    path = "/api/v1/accounts",
    tag = "session",
    request_body = NewAccount,
    responses(
        (status = 201, description = "The account.", body = AccountView),
        (status = 409, description = "There is an account of this address."),
    )
)]
async fn register(
    State(state): State<AppState>,
    caller: Caller,
    _attempt: Attempt,
    Json(new): Json<NewAccount>,
) -> Result<Answer<AccountView, 201>, ApiError> {
    let wanted = Registration { email: new.email.0, password: new.password.0, role: Role::Buyer };
    let user: User = state.rooms().accounts.register(&caller.principal, wanted).await?;
    Ok(Answer::new(user.into()))
}

/// Who one is, and what to send with changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// The account's number; absent for a guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account: Option<i64>,
    /// The account's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// `guest`, or what the account is trusted with.
    role: &'static str,
    /// What must be sent as `X-CSRF-Token` with each change that the session's cookie makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    csrf_token: Option<String>,
}

fn role_name(principal: &Principal) -> &'static str {
    match principal {
        Principal::Guest => "guest",
        Principal::User { role, .. } => role.name(),
        Principal::System(_) => "system",
    }
}

/// Who am I
#[utoipa::path(
    get,
    path = "/api/v1/session",
    tag = "session",
    responses((status = 200, description = "Who asks.", body = Session))
)]
async fn get_session(State(state): State<AppState>, caller: Caller) -> Result<Answer<Session>, ApiError> {
    // Asked of the accounts and not of the cache: this is also the question whether the session still holds.
    let accounts = &state.rooms().accounts;
    let csrf_token = match &caller.session {
        Some(secret) => accounts
            .resume(secret)
            .await
            .map_err(pulse_data::accounts::AccountError::from)?
            .map(|session| session.csrf.reveal().to_owned()),
        None => None,
    };
    Ok(Answer::new(Session {
        account: caller.principal.user().map(|user| user.0),
        email: caller.account.as_ref().and_then(|account| account.email.clone()),
        role: role_name(&caller.principal),
        csrf_token,
    }))
}

/// What proves who one is. Any text may be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The account's address.
    #[schema(inline)]
    email: Text<1, 254>,
    /// Its password.
    #[schema(inline)]
    password: TriedPassword,
}

/// Sign in
///
/// Begins a session and sets its cookie. What a guest's cart holds is moved into the account's cart.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    request_body = Credentials,
    responses((status = 200, description = "Signed in.", body = Session))
)]
async fn sign_in(
    State(state): State<AppState>,
    caller: Caller,
    _attempt: Attempt,
    headers: HeaderMap,
    Json(given): Json<Credentials>,
) -> Result<Answer<Session>, ApiError> {
    let client = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let session = state.rooms().accounts.sign_in(&given.email.0, &given.password.0, client).await?;
    let mut dropped = None;
    if let Some(guest) = caller.guest_cart() {
        // A cart that can't be moved now stays the guest's; the session begins all the same.
        match merge(&state, &session.principal, guest, cart_of_user(session.user)).await {
            Ok(()) => dropped = cookie(state.config(), "cart", "", 0),
            Err(error) => tracing::warn!(%error, "a guest's cart was not moved at sign-in"),
        }
    }
    let set = cookie(state.config(), "session", session.token.reveal(), SESSION_AGE);
    let body = Session {
        account: Some(session.user.0),
        email: session.email,
        role: role_name(&session.principal),
        csrf_token: Some(session.csrf.reveal().to_owned()),
    };
    Ok(Answer::new(body).cookie(set).cookie(dropped))
}

/// Moves what a guest's cart holds into another.
pub(crate) async fn merge(
    state: &AppState,
    who: &Principal,
    from: CartId,
    to: CartId,
) -> Result<(), ShopError> {
    let front = &state.rooms().front;
    let mut guest = front.view(from).await?;
    while let Some(line) = guest.cart.cart.lines.first().copied() {
        let id = |what: &str| {
            let text = format!("{what} {from} {}", guest.version.0);
            let digest = Sha256::digest(text);
            CommandId(digest.iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte)))
        };
        match front.add(who, to, id("move"), line.sku, line.quantity).await {
            // What is no longer for sale, or does not fit, is left behind.
            Ok(_) | Err(ShopError::UnknownProduct(_) | ShopError::Cart(_)) => {}
            Err(error) => return Err(error),
        }
        guest = front.remove(&Principal::Guest, from, id("moved"), line.key()).await?;
    }
    Ok(())
}

/// Sign out
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "session",
    responses((status = 204, description = "Signed out; also where nobody was signed in."))
)]
async fn sign_out(State(state): State<AppState>, caller: Caller) -> Result<Response, ApiError> {
    if let Some(secret) = &caller.session {
        let out = state.rooms().accounts.sign_out(secret).await;
        out.map_err(pulse_data::accounts::AccountError::from)?;
        identity::forget(&state, secret).await;
    }
    Ok(no_content(cookie(state.config(), "session", "", 0)))
}

/// Whose password is forgotten.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReset {
    /// The account's address.
    #[schema(inline)]
    email: Email,
}

/// Ask for a new password
///
/// Sends a letter with a token to the account's address. The answer is the same whether there is such an account.
#[utoipa::path(
    post,
    path = "/api/v1/password-resets",
    tag = "session",
    request_body = NewReset,
    responses((status = 202, description = "If there is such an account, a letter is on its way."))
)]
async fn request_reset(
    State(state): State<AppState>,
    _caller: Caller,
    _attempt: Attempt,
    Json(new): Json<NewReset>,
) -> Result<axum::http::StatusCode, ApiError> {
    state.rooms().accounts.request_reset(&new.email.0).await?;
    Ok(axum::http::StatusCode::ACCEPTED)
}

/// A new password, and the letter's token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UseReset {
    /// From the letter.
    #[schema(inline)]
    token: Text<1, 128>,
    /// The new password.
    #[schema(inline)]
    password: Password,
}

/// Set a new password
///
/// Good once. All sessions of the account end.
#[utoipa::path(
    post,
    path = "/api/v1/password-resets/confirm",
    tag = "session",
    request_body = UseReset,
    responses(
        (status = 204, description = "The password is set; sign in with it."),
        (status = 409, description = "The token is unknown, used or too old."),
    )
)]
async fn reset_password(
    State(state): State<AppState>,
    _caller: Caller,
    _attempt: Attempt,
    Json(new): Json<UseReset>,
) -> Result<Response, ApiError> {
    state.rooms().accounts.reset_password(&new.token.0, &new.password.0).await?;
    state.sessions().invalidate_all();
    Ok(no_content(None))
}
