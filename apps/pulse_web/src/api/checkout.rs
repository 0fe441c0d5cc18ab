//! From a cart to an order.
//!
//! **Invariant.** A checkout has a name that the client draws (`Idempotency-Key`): sent again, it answers the order that
//! it made and never makes a second one. A name means something within the caller's cart only, so clients can't
//! meet on one.

use axum::extract::State;
use pulse_core::order::{Channel, PaymentMethod, PlacedOrder, Status, Step};
use pulse_core::{Principal, Timestamp};
use pulse_data::orders::OrderError;
use pulse_fleet::Checkout;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::shapes::MoneyView;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::field::{Email, Text};
use crate::identity::{Caller, IdempotencyKey, checkout_key};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(check_out))
        .routes(routes!(get_checkout))
        .routes(routes!(cancel_checkout))
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Payment {
    /// By card.
    #[default]
    Card,
    /// On account, settled outside the shop; only for those who may quote prices.
    OnAccount,
}

impl From<Payment> for PaymentMethod {
    fn from(payment: Payment) -> Self {
        match payment {
            Payment::Card => Self::Card,
            Payment::OnAccount => Self::OnAccount,
        }
    }
}

impl From<PaymentMethod> for Payment {
    fn from(method: PaymentMethod) -> Self {
        match method {
            PaymentMethod::Card => Self::Card,
            PaymentMethod::OnAccount => Self::OnAccount,
        }
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = OrderStatus)]
pub(crate) enum StatusName {
    /// Accepted; the payment is under way.
    Placed,
    /// The payment has come in.
    Paid,
    /// In its parcel.
    Packed,
    /// With the carrier.
    Shipped,
    /// With the buyer.
    Delivered,
    /// Given up before it was shipped.
    Cancelled,
    /// All of it came back.
    Returned,
}

impl From<Status> for StatusName {
    fn from(status: Status) -> Self {
        match status {
            Status::Placed => Self::Placed,
            Status::Paid => Self::Paid,
            Status::Packed => Self::Packed,
            Status::Shipped => Self::Shipped,
            Status::Delivered => Self::Delivered,
            Status::Cancelled => Self::Cancelled,
            Status::Returned => Self::Returned,
        }
    }
}

impl From<StatusName> for Status {
    fn from(name: StatusName) -> Self {
        match name {
            StatusName::Placed => Self::Placed,
            StatusName::Paid => Self::Paid,
            StatusName::Packed => Self::Packed,
            StatusName::Shipped => Self::Shipped,
            StatusName::Delivered => Self::Delivered,
            StatusName::Cancelled => Self::Cancelled,
            StatusName::Returned => Self::Returned,
        }
    }
}

/// Where the order goes and how it is paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCheckout {
    /// Where the confirmation goes; the account's address where absent. A guest must give one.
    #[schema(inline)]
    email: Option<Email>,
    /// Where the goods go.
    #[schema(inline, example = "United Kingdom")]
    country: Text<1, 60>,
    /// How it is paid; by card where absent.
    #[serde(default)]
    #[schema(required = false)]
    payment: Payment,
}

/// The receipt of a placed order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// Its number.
    id: i64,
    /// Where it stands.
    status: StatusName,
    /// What it costs.
    total: MoneyView,
    /// When it was placed.
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
}

impl From<&PlacedOrder> for Receipt {
    fn from(order: &PlacedOrder) -> Self {
        Self {
            id: order.id.0,
            status: order.status.into(),
            total: order.total.into(),
            placed_at: order.placed_at,
        }
    }
}

/// Turn the cart into an order
///
/// Order, stock, payment and the emptied cart are stored together or not at all. Sent again with the same key, the
/// answer is the order that the first one made.
#[utoipa::path(
    post,
    path = "/api/v1/checkout",
    tag = "cart",
    params(("Idempotency-Key" = String, Header, description = "The client's name for this checkout.", min_length = 1, max_length = 64, pattern = "^[!-~]+$")),
    request_body = NewCheckout,
    responses(
        (status = 201, description = "The order is placed.", body = Receipt, headers(("Location" = String, description = "The order, for an account; the checkout, for a guest."))),
        (status = 409, description = "The cart is empty or has changed, there is not enough in stock, or the key was used for something else."),
    )
)]
async fn check_out(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Json(new): Json<NewCheckout>,
) -> Result<Answer<Receipt, 201>, ApiError> {
    let client_key = key.required()?;
    let cart = caller.cart().ok_or_else(|| Problem::new(Kind::Conflict, "the cart is empty"))?;
    let email = match (new.email, &caller.account) {
        (Some(email), _) => Some(email.0),
        (None, Some(account)) => account.email.clone(),
        (None, None) => {
            return Err(
                Problem::field("/email", "required", "must be there: a guest has no other address").into()
            );
        }
    };
    let checkout = Checkout {
        key: checkout_key(cart, &client_key)?,
        buyer: caller.principal.user(),
        email,
        country: new.country.0,
        payment: new.payment.into(),
        channel: Channel::Web,
        placed_at: None,
    };
    let order = state.rooms().front.checkout(&caller.principal, cart, checkout).await?;
    let location = match caller.principal {
        Principal::Guest => format!("/api/v1/checkout/{client_key}"),
        Principal::User { .. } | Principal::System(_) => format!("/api/v1/orders/{}", order.id),
    };
    Ok(Answer::new(Receipt::from(&order)).location(&location))
}

/// Look up a checkout by its key
///
/// For whoever holds the cart, guests too: what became of a checkout whose answer was lost.
#[utoipa::path(
    get,
    path = "/api/v1/checkout/{key}",
    tag = "cart",
    params(("key" = String, Path, description = "The checkout's Idempotency-Key.", min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.~-]+$")),
    responses((status = 200, description = "The order that it made.", body = Receipt))
)]
async fn get_checkout(
    State(state): State<AppState>,
    caller: Caller,
    Path(client_key): Path<String>,
) -> Result<Answer<Receipt>, ApiError> {
    let nothing = || Problem::new(Kind::NotFound, "no checkout of this cart has that key");
    let cart = caller.cart().ok_or_else(nothing)?;
    let key = checkout_key(cart, &client_key).map_err(|_| nothing())?;
    let order = state.rooms().orders.find(&key).await.map_err(OrderError::from)?;
    Ok(Answer::new(Receipt::from(&order.ok_or_else(nothing)?)))
}

/// Cancel the order of a checkout
///
/// For whoever holds the cart, guests too, until the order is packed. The goods go back on the shelf, and money that was
/// taken goes back.
#[utoipa::path(
    post,
    path = "/api/v1/checkout/{key}/cancel",
    tag = "cart",
    params(("key" = String, Path, description = "The checkout's Idempotency-Key.", min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_.~-]+$")),
    responses(
        (status = 200, description = "The order, cancelled.", body = Receipt),
        (status = 409, description = "It is too late."),
    )
)]
async fn cancel_checkout(
    State(state): State<AppState>,
    caller: Caller,
    Path(client_key): Path<String>,
) -> Result<Answer<Receipt>, ApiError> {
    let nothing = || Problem::new(Kind::NotFound, "no checkout of this cart has that key");
    let cart = caller.cart().ok_or_else(nothing)?;
    let key = checkout_key(cart, &client_key).map_err(|_| nothing())?;
    let orders = &state.rooms().orders;
    let placed = orders.find(&key).await.map_err(OrderError::from)?.ok_or_else(nothing)?;
    if placed.buyer.is_some() {
        // An account's order is its account's: whoever is signed in as that gives it up.
        return match orders.step(&caller.principal, placed.id, Step::Cancel).await {
            Ok(order) => Ok(Answer::new(Receipt { status: order.status.into(), ..Receipt::from(&placed) })),
            Err(OrderError::Forbidden(_)) => Err(too_late().into()),
            Err(error) => Err(error.into()),
        };
    }
    match orders.cancel_by_key(&key).await {
        Ok(Some(order)) => Ok(Answer::new(Receipt { status: order.status.into(), ..Receipt::from(&placed) })),
        Ok(None) => Err(nothing().into()),
        Err(OrderError::WrongStep(_)) => Err(too_late().into()),
        Err(error) => Err(error.into()),
    }
}

fn too_late() -> Problem {
    Problem::new(Kind::Conflict, "it is too late: the order is packed, or over")
}
