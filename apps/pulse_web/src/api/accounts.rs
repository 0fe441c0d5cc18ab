//! One's own account: its password, its sessions' end, and the tokens of one's programs.
//!
//! **Invariant.** A token's secret is shown once, when it is made.

use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use pulse_core::Timestamp;
use pulse_data::accounts::{AccountError, Accounts, ApiToken, User, UserStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Answer, no_content};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::field::{Password, Text, TriedPassword};
use crate::identity::SignedIn;
use crate::problem::{Kind, Problem};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_account))
        .routes(routes!(change_password))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
}

/// What an account is trusted with; each role also has what the ones before it have.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Role)]
pub(crate) enum RoleName {
    /// Buys for itself.
    Buyer,
    /// Helps buyers: sees orders, takes returns.
    Support,
    /// Runs the shop: products, stock, shipping.
    Manager,
    /// Runs the system: accounts, audit.
    Admin,
}

impl From<pulse_core::Role> for RoleName {
    fn from(role: pulse_core::Role) -> Self {
        match role {
            pulse_core::Role::Buyer => Self::Buyer,
            pulse_core::Role::Support => Self::Support,
            pulse_core::Role::Manager => Self::Manager,
            pulse_core::Role::Admin => Self::Admin,
        }
    }
}

impl From<RoleName> for pulse_core::Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Buyer => Self::Buyer,
            RoleName::Support => Self::Support,
            RoleName::Manager => Self::Manager,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    /// Its number.
    id: i64,
    /// Its address; absent for buyers that came with a replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// What it is trusted with.
    role: RoleName,
    /// Whether it may not sign in.
    locked: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<User> for AccountView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.0,
            email: user.email,
            role: user.role.into(),
            locked: user.status == UserStatus::Locked,
            created_at: user.created_at,
        }
    }
}

/// Look at one's account
#[utoipa::path(
    get,
    path = "/api/v1/account",
    tag = "account",
    responses((status = 200, description = "The account.", body = AccountView))
)]
async fn get_account(State(state): State<AppState>, who: SignedIn) -> Result<Answer<AccountView>, ApiError> {
    let user = state.rooms().accounts.get(&who.caller.principal, who.account.user).await?;
    Ok(Answer::new(user.into()))
}

/// A change of password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The one in force.
    #[schema(inline)]
    old_password: TriedPassword,
    /// The new one.
    #[schema(inline)]
    new_password: Password,
}

/// Change one's password
///
/// All other sessions end.
#[utoipa::path(
    put,
    path = "/api/v1/account/password",
    tag = "account",
    request_body = NewPassword,
    responses((status = 204, description = "The new password is in force."))
)]
async fn change_password(
    State(state): State<AppState>,
    who: SignedIn,
    Json(new): Json<NewPassword>,
) -> Result<Response, ApiError> {
    let keep = who.caller.session.as_deref().map(Accounts::session_id);
    let (accounts, who) = (&state.rooms().accounts, &who.caller.principal);
    match accounts.change_password(who, &new.old_password.0, &new.new_password.0, keep.as_deref()).await {
        // Who asks is known, so this is no 401.
        Err(AccountError::WrongCredentials) => {
            return Err(Problem::new(Kind::Forbidden, "the old password is another one").into());
        }
        other => other?,
    }
    state.sessions().invalidate_all();
    Ok(no_content(None))
}

/// A token, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiToken)]
pub(crate) struct TokenView {
    /// Its number.
    id: i64,
    /// What its owner calls it.
    name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    used_at: Option<Timestamp>,
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self { id: token.id, name: token.name, created_at: token.created_at, used_at: token.used_at }
    }
}

/// One's tokens; there are at most 50.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenList {
    /// Oldest first.
    items: Vec<TokenView>,
}

/// List one's API tokens
#[utoipa::path(
    get,
    path = "/api/v1/account/tokens",
    tag = "account",
    responses((status = 200, description = "The tokens that are not revoked.", body = TokenList))
)]
async fn list_tokens(State(state): State<AppState>, who: SignedIn) -> Result<Answer<TokenList>, ApiError> {
    let tokens = state.rooms().accounts.tokens(&who.caller.principal, who.account.user).await?;
    Ok(Answer::new(TokenList { items: tokens.into_iter().map(TokenView::from).collect() }))
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What to call it.
    #[schema(inline)]
    name: Text<1, 80>,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedToken {
    /// The token.
    #[serde(flatten)]
    token: TokenView,
    /// What the program sends as `Authorization: Bearer …`. It is not shown again.
    secret: String,
}

/// Make an API token
///
/// A program that sends it acts in one's name.
#[utoipa::path(
    post,
    path = "/api/v1/account/tokens",
    tag = "account",
    request_body = NewToken,
    responses(
        (status = 201, description = "The token with its secret.", body = CreatedToken),
        (status = 409, description = "The account has as many tokens as it may."),
    )
)]
async fn create_token(
    State(state): State<AppState>,
    who: SignedIn,
    Json(new): Json<NewToken>,
) -> Result<Answer<CreatedToken, 201>, ApiError> {
    let made = state.rooms().accounts.create_token(&who.caller.principal, &new.name.0).await?;
    let secret = made.secret.reveal().to_owned();
    Ok(Answer::new(CreatedToken { token: made.token.into(), secret }))
}

/// A row's number in an address.
pub(crate) struct Number(pub(crate) i64);

impl FromStr for Number {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && *number > 0).map(Self).ok_or(())
    }
}

/// Revoke an API token
#[utoipa::path(
    delete,
    path = "/api/v1/account/tokens/{id}",
    tag = "account",
    params(("id" = i64, Path, description = "The token's number.", minimum = 1)),
    responses((status = 204, description = "It is worthless from now on."))
)]
async fn revoke_token(
    State(state): State<AppState>,
    who: SignedIn,
    Path(Number(id)): Path<Number>,
) -> Result<Response, ApiError> {
    state.rooms().accounts.revoke_token(&who.caller.principal, who.account.user, id).await?;
    // Its secret is not known here, only its number.
    state.sessions().invalidate_all();
    Ok(no_content(None))
}
