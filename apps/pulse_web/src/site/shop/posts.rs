//! What plain forms of the shop's pages send: a product into the cart, and what a forgotten password needs.
//!
//! **Invariant.** Works without a script. Each form carries the proof that it comes from a page of ours, and each answer is
//! a redirect, so that loading again repeats nothing.

use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use live::{Flash, LocalPath};
use pulse_core::{CartId, CommandId, Principal, Sku};
use pulse_data::accounts::AccountError;
use serde::Deserialize;

use super::super::entry::{Ours, Sockets, go, said as said_of_account};
use super::catalogue::product_path;
use super::product::quantity_of;
use super::{IN_CART, said, sentence};
use crate::api::sessions::Attempt;
use crate::error::ApiError;
use crate::identity::{self, Secret, cart_of_guest, cart_of_user};
use crate::problem::Problem;
use crate::state::AppState;

/// The routes of these forms; they need the [`Sockets`] as an extension.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/cart/lines", post(add_line))
        .route("/password/forgot", post(forgot))
        .route("/password/reset", post(reset))
        .route(super::reminders::PATH, post(stop_reminders))
}

const UNAVAILABLE: &str = "The shop can't answer at the moment. Try again shortly.";

#[derive(Deserialize, Default)]
#[serde(default)]
struct NewLine {
    #[serde(rename = "_csrf_token")]
    proof: String,
    #[serde(rename = "line[sku]")]
    sku: String,
    #[serde(rename = "line[quantity]")]
    quantity: String,
}

async fn add_line(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    headers: HeaderMap,
    Form(given): Form<NewLine>,
) -> Response {
    let sku = Sku::new(&given.sku);
    let again = sku.as_ref().map_or_else(|_| LocalPath::of("/"), |sku| product_path(*sku));
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof, &again) {
        Ok(ours) => ours,
        Err(response) => return *response,
    };
    let Ok(sku) = sku else { return ours.back(&again, "There is no such product.") };
    let quantity = match quantity_of(&given.quantity) {
        Ok(quantity) => quantity,
        Err(message) => return ours.back(&again, &format!("The quantity {message}.")),
    };
    let (who, cart) = match caller(&state, &headers).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return ours.back(&again, "Your browser keeps no cookies, so there is no cart for you."),
        Err(error) => {
            tracing::warn!(?error, "who sent a form could not be found out");
            return ours.back(&again, UNAVAILABLE);
        }
    };
    match state.rooms().front.add(&who, cart, CommandId(rand::random()), sku, quantity).await {
        Ok(_) => ours.go(&LocalPath::of("/cart"), IN_CART),
        Err(error) => ours.back(&again, &said(&error)),
    }
}

/// Who sends a plain form, and which cart that is.
async fn caller(state: &AppState, headers: &HeaderMap) -> Result<Option<(Principal, CartId)>, ApiError> {
    let config = state.config();
    if let Some(secret) = identity::session_of(headers, config)
        && let Some(account) = identity::resolve(state, secret, Secret::Session).await?
    {
        return Ok(Some((account.principal.clone(), cart_of_user(account.user))));
    }
    Ok(identity::guest_cart_of(headers, config).map(|secret| (Principal::Guest, cart_of_guest(secret))))
}

/// What the link of a reminder says.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Link {
    token: String,
}

/// Needs no proof of ours: whoever has the link may, and mail programs post it by themselves.
async fn stop_reminders(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    Query(link): Query<Link>,
) -> Response {
    let mut flash = Flash::default();
    match state.rooms().reminders.stop(&link.token).await {
        Ok(true) => flash.put("info", "You get no more reminders."),
        Ok(false) => {
            flash.put("error", "This link no longer works. In your account you can stop reminders, too.");
        }
        Err(error) => {
            tracing::warn!(%error, "reminders were not stopped");
            flash.put("error", UNAVAILABLE);
        }
    }
    go(&sockets.live, &LocalPath::of("/"), &flash)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Forgotten {
    #[serde(rename = "_csrf_token")]
    proof: String,
    #[serde(rename = "account[email]")]
    email: String,
}

async fn forgot(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    attempt: Result<Attempt, Problem>,
    headers: HeaderMap,
    Form(given): Form<Forgotten>,
) -> Response {
    let again = LocalPath::of("/password/forgot");
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof, &again) {
        Ok(ours) => ours,
        Err(response) => return *response,
    };
    if let Err(problem) = attempt {
        return ours.refuse(&again, &sentence(&problem.detail), &given.email);
    }
    match state.rooms().accounts.request_reset(given.email.trim()).await {
        Ok(()) => ours.go(&LocalPath::of("/login"), "If there is such an account, a letter is on its way."),
        Err(error) => ours.refuse(&again, &said_of_account(&error), &given.email),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NewPassword {
    #[serde(rename = "_csrf_token")]
    proof: String,
    token: String,
    #[serde(rename = "account[password]")]
    password: String,
}

async fn reset(
    State(state): State<AppState>,
    Extension(sockets): Extension<Sockets>,
    attempt: Result<Attempt, Problem>,
    headers: HeaderMap,
    Form(given): Form<NewPassword>,
) -> Response {
    let again = LocalPath::of("/password/reset").query("token", &given.token);
    let ours = match Ours::check(&state, &sockets, &headers, &given.proof, &again) {
        Ok(ours) => ours,
        Err(response) => return *response,
    };
    if let Err(problem) = attempt {
        return ours.back(&again, &sentence(&problem.detail));
    }
    match state.rooms().accounts.reset_password(&given.token, &given.password).await {
        Ok(_) => {
            state.sessions().invalidate_all();
            ours.go(&LocalPath::of("/login"), "Your new password is set. Sign in with it.")
        }
        Err(error @ AccountError::ResetExpired) => {
            ours.back(&LocalPath::of("/password/forgot"), &said_of_account(&error))
        }
        Err(error) => ours.back(&again, &said_of_account(&error)),
    }
}
