//! The caller's cart: an account's own, or the one that a guest's cookie names.
//!
//! **Invariant.** No address names a cart: everybody has one, and it is never another's. A change that carries an
//! `Idempotency-Key` is made once, however often it is sent.

use axum::extract::State;
use axum::http::HeaderValue;
use pulse_core::cart::{Basis, LineKey};
use pulse_core::pricing::price;
use pulse_core::{Currency, Money, Timestamp};
use pulse_fleet::CartView as Cart;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::shapes::MoneyView;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::field::{LineName, Pieces, SkuText};
use crate::identity::{Caller, IdempotencyKey};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_cart, clear_cart))
        .routes(routes!(add_line))
        .routes(routes!(set_line, remove_line))
}

/// A cart and what it would cost now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cart)]
pub(crate) struct CartShape {
    /// Grows by one with each change of the cart; 0 for one that has nothing stored.
    version: u64,
    /// What is in it, in the order of adding.
    lines: Vec<LineShape>,
    /// Quantities times prices.
    subtotal: MoneyView,
    /// What promotions take off.
    discount: MoneyView,
    /// The VAT that the total includes.
    vat: MoneyView,
    /// What is to be paid.
    total: MoneyView,
    /// Until when a checkout that is under way holds the cart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    frozen_until: Option<Timestamp>,
}

/// A line of a cart. The same product at another price is another line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartLine)]
pub(crate) struct LineShape {
    /// Its name, for addresses.
    #[schema(example = "85123A@255s-GBP")]
    line: String,
    /// The product.
    sku: String,
    /// How many.
    quantity: i64,
    /// The price of one, as it was when it was added.
    price: MoneyView,
    /// Whether the price was given by somebody who may: neither promotions nor VAT touch it.
    quoted: bool,
}

impl From<&Cart> for CartShape {
    fn from(view: &Cart) -> Self {
        let line = |line: &pulse_core::cart::Line| LineShape {
            line: line.key().to_string(),
            sku: line.sku.to_string(),
            quantity: line.quantity.get(),
            price: line.price.unit.into(),
            quoted: line.price.basis == Basis::Quoted,
        };
        Self {
            version: view.version.0,
            lines: view.cart.cart.lines.iter().map(line).collect(),
            subtotal: view.priced.subtotal().into(),
            discount: view.priced.discount().into(),
            vat: view.priced.vat().into(),
            total: view.priced.total().into(),
            frozen_until: view.cart.cart.freeze.as_ref().map(|freeze| freeze.until),
        }
    }
}

impl CartShape {
    /// What a guest sees who has put nothing in yet.
    fn empty() -> Self {
        let nothing = price(&[], &[]).map_or(Money::zero(Currency::default()), |priced| priced.total());
        let zero = MoneyView::from(nothing);
        let lines = Vec::new();
        Self { version: 0, lines, subtotal: zero, discount: zero, vat: zero, total: zero, frozen_until: None }
    }
}

fn answer(view: &Cart, cookie: Option<HeaderValue>) -> Answer<CartShape> {
    Answer::new(CartShape::from(view)).cookie(cookie)
}

/// Look into the cart
#[utoipa::path(
    get,
    path = "/api/v1/cart",
    tag = "cart",
    responses((status = 200, description = "The cart; an empty one where nothing was put in.", body = CartShape))
)]
async fn get_cart(State(state): State<AppState>, caller: Caller) -> Result<Answer<CartShape>, ApiError> {
    match caller.cart() {
        None => Ok(Answer::new(CartShape::empty())),
        Some(cart) => Ok(answer(&state.rooms().front.view(cart).await?, None)),
    }
}

/// Pieces of a product to put in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLine {
    /// The product.
    #[schema(inline)]
    sku: SkuText,
    /// How many more.
    #[schema(inline)]
    quantity: Pieces,
}

/// Put a product into the cart
///
/// At the catalogue's price of now. A guest without a cart is given one with a cookie.
#[utoipa::path(
    post,
    path = "/api/v1/cart/lines",
    tag = "cart",
    params(("Idempotency-Key" = Option<String>, Header, description = "The client's name for this change: sent again, it is not made again. The cart remembers its last 32 changes.", min_length = 1, max_length = 64, pattern = "^[!-~]+$")),
    request_body = NewLine,
    responses(
        (status = 200, description = "The cart after it.", body = CartShape),
        (status = 409, description = "The product is not for sale, the cart is full, or a checkout is under way."),
    )
)]
async fn add_line(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Json(new): Json<NewLine>,
) -> Result<Answer<CartShape>, ApiError> {
    let (cart, cookie) = caller.cart_or_new(state.config());
    let front = &state.rooms().front;
    let view = front.add(&caller.principal, cart, key.command(), new.sku.0, new.quantity.into()).await?;
    Ok(answer(&view, cookie))
}

/// A line's new quantity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuantity {
    /// How many from now on.
    #[schema(inline)]
    quantity: Pieces,
}

/// Change a line's quantity
#[utoipa::path(
    put,
    path = "/api/v1/cart/lines/{line}",
    tag = "cart",
    params(
        ("line" = String, Path, description = "The line's name, as the cart shows it.", example = "85123A@255s-GBP", min_length = 1, max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "The client's name for this change: sent again, it is not made again.", min_length = 1, max_length = 64, pattern = "^[!-~]+$"),
    ),
    request_body = NewQuantity,
    responses(
        (status = 200, description = "The cart after it.", body = CartShape),
        (status = 409, description = "A checkout is under way, or the total does not fit."),
    )
)]
async fn set_line(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(LineName(line)): Path<LineName>,
    Json(new): Json<NewQuantity>,
) -> Result<Answer<CartShape>, ApiError> {
    let cart = caller.cart().ok_or_else(|| no_line(line))?;
    let front = &state.rooms().front;
    let set = front.set_quantity(&caller.principal, cart, key.command(), line, new.quantity.into()).await;
    Ok(answer(&set.map_err(missing_line)?, None))
}

/// Take a line out of the cart
#[utoipa::path(
    delete,
    path = "/api/v1/cart/lines/{line}",
    tag = "cart",
    params(
        ("line" = String, Path, description = "The line's name, as the cart shows it.", example = "85123A@255s-GBP", min_length = 1, max_length = 64),
        ("Idempotency-Key" = Option<String>, Header, description = "The client's name for this change: sent again, it is not made again.", min_length = 1, max_length = 64, pattern = "^[!-~]+$"),
    ),
    responses(
        (status = 200, description = "The cart after it.", body = CartShape),
        (status = 409, description = "A checkout is under way."),
    )
)]
async fn remove_line(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
    Path(LineName(line)): Path<LineName>,
) -> Result<Answer<CartShape>, ApiError> {
    let cart = caller.cart().ok_or_else(|| no_line(line))?;
    let removed = state.rooms().front.remove(&caller.principal, cart, key.command(), line).await;
    Ok(answer(&removed.map_err(missing_line)?, None))
}

/// Empty the cart
#[utoipa::path(
    delete,
    path = "/api/v1/cart",
    tag = "cart",
    params(("Idempotency-Key" = Option<String>, Header, description = "The client's name for this change: sent again, it is not made again.", min_length = 1, max_length = 64, pattern = "^[!-~]+$")),
    responses(
        (status = 200, description = "The cart, empty.", body = CartShape),
        (status = 409, description = "A checkout is under way."),
    )
)]
async fn clear_cart(
    State(state): State<AppState>,
    caller: Caller,
    key: IdempotencyKey,
) -> Result<Answer<CartShape>, ApiError> {
    match caller.cart() {
        None => Ok(Answer::new(CartShape::empty())),
        Some(cart) => {
            Ok(answer(&state.rooms().front.clear(&caller.principal, cart, key.command()).await?, None))
        }
    }
}

/// A line that the address names and the cart does not have is no conflict: it is not there.
fn missing_line(error: pulse_fleet::ShopError) -> ApiError {
    match error {
        pulse_fleet::ShopError::Cart(pulse_core::cart::CartError::NoSuchLine { line }) => no_line(line),
        other => other.into(),
    }
}

fn no_line(line: LineKey) -> ApiError {
    Problem::new(Kind::NotFound, format!("the cart has no line {line}")).into()
}
