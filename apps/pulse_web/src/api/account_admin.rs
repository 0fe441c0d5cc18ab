//! Accounts, for those who run the system.
//!
//! **Invariant.** A change of role or a lock holds from the account's next request on (on other nodes, within the time
//! that a session is believed).

use axum::extract::State;
use pulse_core::{Principal, UserId};
use pulse_data::accounts::{Change, Registration, UserQuery, UserStatus};
use pulse_data::page::Cursor;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::accounts::{AccountView, Number, RoleName};
use super::shapes::{PageSize, page_size};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::field::{CursorText, Email, Password, Text};
use crate::permit::{ManageAccounts, May};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_users, create_user)).routes(routes!(get_user, change_user))
}

/// Which accounts, by number.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserParams {
    /// A part of the address, in any case.
    #[param(inline)]
    search: Option<Text<1, 100>>,
    /// Only of this role.
    #[param(inline)]
    role: Option<RoleName>,
    /// Where the last page ended: its `next`.
    #[param(inline)]
    after: Option<CursorText>,
    /// Rows of a page; 20 where absent.
    #[param(inline)]
    limit: Option<PageSize>,
}

/// A page of accounts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountPage {
    /// The accounts, by number.
    items: Vec<AccountView>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// List the accounts
///
/// Needs the role admin.
#[utoipa::path(
    get,
    path = "/api/v1/admin/users",
    tag = "admin",
    params(UserParams),
    responses((status = 200, description = "A page of accounts.", body = AccountPage))
)]
async fn list_users(
    State(state): State<AppState>,
    who: May<ManageAccounts>,
    Query(params): Query<UserParams>,
) -> Result<Answer<AccountPage>, ApiError> {
    let query = UserQuery {
        search: params.search.map(|text| text.0),
        role: params.role.map(Into::into),
        after: params.after.map(|text| Cursor::from_client(&text.0)),
        limit: page_size(params.limit),
    };
    let page = state.rooms().accounts.list(&who.caller.principal, &query).await?;
    let items = page.items.into_iter().map(AccountView::from).collect();
    Ok(Answer::new(AccountPage { items, next: page.next.map(|cursor| cursor.as_str().to_owned()) }))
}

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Names the account; letters go there.
    #[schema(inline)]
    email: Email,
    /// Its first password.
    #[schema(inline)]
    password: Password,
    /// What it is trusted with.
    role: RoleName,
}

/// Make an account with a role
///
/// Needs the role admin.
#[utoipa::path(
    post,
    path = "/api/v1/admin/users",
    tag = "admin",
    request_body = NewUser,
    responses(
        (status = 201, description = "The account.", body = AccountView),
        (status = 409, description = "There is an account of this address."),
    )
)]
async fn create_user(
    State(state): State<AppState>,
    who: May<ManageAccounts>,
    Json(new): Json<NewUser>,
) -> Result<Answer<AccountView, 201>, ApiError> {
    may_manage(&who.caller.principal)?;
    let wanted = Registration { email: new.email.0, password: new.password.0, role: new.role.into() };
    let user = state.rooms().accounts.register(&who.caller.principal, wanted).await?;
    let location = format!("/api/v1/admin/users/{}", user.id);
    Ok(Answer::new(AccountView::from(user)).location(&location))
}

/// The contexts let everybody do to their own account what here is the admins' alone.
fn may_manage(principal: &Principal) -> Result<(), ApiError> {
    let allowed = principal.require(pulse_core::Permission::ManageAccounts);
    allowed.map_err(|no| pulse_data::accounts::AccountError::from(no).into())
}

/// Look at an account
///
/// Needs the role admin.
#[utoipa::path(
    get,
    path = "/api/v1/admin/users/{id}",
    tag = "admin",
    params(("id" = i64, Path, description = "The account's number.", minimum = 1)),
    responses((status = 200, description = "The account.", body = AccountView))
)]
async fn get_user(
    State(state): State<AppState>,
    who: May<ManageAccounts>,
    Path(Number(id)): Path<Number>,
) -> Result<Answer<AccountView>, ApiError> {
    may_manage(&who.caller.principal)?;
    Ok(Answer::new(state.rooms().accounts.get(&who.caller.principal, UserId(id)).await?.into()))
}

/// What is to change of an account; absent fields stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeUser {
    /// What it is trusted with.
    role: Option<RoleName>,
    /// Whether it may not sign in; its sessions end, its tokens rest.
    locked: Option<bool>,
}

/// Change an account's role or lock it
///
/// Needs the role admin.
#[utoipa::path(
    patch,
    path = "/api/v1/admin/users/{id}",
    tag = "admin",
    params(("id" = i64, Path, description = "The account's number.", minimum = 1)),
    request_body = ChangeUser,
    responses(
        (status = 200, description = "The account after it.", body = AccountView),
        (status = 409, description = "It is the last admin."),
    )
)]
async fn change_user(
    State(state): State<AppState>,
    who: May<ManageAccounts>,
    Path(Number(id)): Path<Number>,
    Json(new): Json<ChangeUser>,
) -> Result<Answer<AccountView>, ApiError> {
    let (accounts, principal, id) = (&state.rooms().accounts, &who.caller.principal, UserId(id));
    may_manage(principal)?;
    let status = |locked| if locked { UserStatus::Locked } else { UserStatus::Active };
    let change = Change { role: new.role.map(Into::into), status: new.locked.map(status) };
    let user = accounts.change(principal, id, change).await?;
    state.sessions().invalidate_all();
    Ok(Answer::new(user.into()))
}
