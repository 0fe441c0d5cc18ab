//! Orders: one's own, and for those who may, everybody's.
//!
//! **Invariant.** Whether an order of another exists is not told: it is answered like one that does not.

use std::str::FromStr;

use axum::extract::State;
use pulse_core::order::Step;
use pulse_core::{OrderId, Timestamp};
use pulse_data::orders::{Order, OrderDetail, OrderError, OrderQuery, PaymentKind};
use pulse_data::page::Cursor;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::checkout::{Payment, StatusName};
use super::returns::CreditNoteView;
use super::shapes::{MoneyView, PageSize, page_size};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::field::CursorText;
use crate::identity::SignedIn;
use crate::permit::{May, SeeOrders, TakeReturns};
use crate::problem::{Kind, Problem};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_orders))
        .routes(routes!(get_order))
        .routes(routes!(cancel_order))
        .routes(routes!(list_all_orders))
        .routes(routes!(step_order))
}

/// An order's number in an address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderNo(pub(crate) OrderId);

impl FromStr for OrderNo {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number =
            text.parse().ok().filter(|number| *number > 0 && text.bytes().all(|b| b.is_ascii_digit()));
        number.map(|number| Self(OrderId(number))).ok_or(())
    }
}

/// Which orders; newest first.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrderParams {
    /// Only those that stand there.
    #[param(inline)]
    status: Option<StatusName>,
    /// Where the last page ended: its `next`.
    #[param(inline)]
    after: Option<CursorText>,
    /// Rows of a page; 20 where absent.
    #[param(inline)]
    limit: Option<PageSize>,
}

impl OrderParams {
    fn query(&self, everybody: bool) -> OrderQuery {
        OrderQuery {
            everybody,
            status: self.status.map(Into::into),
            after: self.after.as_ref().map(|text| Cursor::from_client(&text.0)),
            limit: page_size(self.limit),
        }
    }
}

/// An order without its lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderView {
    /// Its number.
    id: i64,
    /// Where it stands.
    status: StatusName,
    /// Whose it is; absent for a guest's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    buyer: Option<i64>,
    /// Where its letters go.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// Where it goes.
    country: String,
    /// How it is paid.
    payment: Payment,
    /// The invoice in another shop's books that was replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    invoice: Option<String>,
    /// Quantities times prices.
    subtotal: MoneyView,
    /// What promotions took off.
    discount: MoneyView,
    /// The VAT that the total includes.
    vat: MoneyView,
    /// What is to be paid.
    total: MoneyView,
    /// When it was placed.
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    /// Counts the steps of its life.
    version: i64,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self {
            id: order.id.0,
            status: order.status.into(),
            buyer: order.buyer.map(|buyer| buyer.0),
            email: order.email,
            country: order.country,
            payment: order.payment.into(),
            invoice: order.invoice,
            subtotal: order.subtotal.into(),
            discount: order.discount.into(),
            vat: order.vat.into(),
            total: order.total.into(),
            placed_at: order.placed_at,
            version: order.version,
        }
    }
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    /// The orders, newest first.
    items: Vec<OrderView>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// A line of an order, as it was sold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub(crate) struct OrderLineView {
    /// Its number within the order.
    line: i64,
    /// The product.
    sku: String,
    /// The product's name at that time.
    name: String,
    /// Pieces sold.
    quantity: i64,
    /// The price of one.
    price: MoneyView,
    /// Pieces that came back.
    returned: i64,
}

/// A step that an order has taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderEvent)]
pub(crate) struct OrderEventView {
    /// Where it stood from then on.
    status: StatusName,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A movement of money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentMovement)]
pub(crate) struct MovementView {
    /// `capture` to the shop, `refund` back.
    kind: &'static str,
    /// How much.
    amount: MoneyView,
    /// `pending`, `settled`, `declined` or `void`.
    state: &'static str,
}

/// One order with everything that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderDetail)]
pub(crate) struct OrderDetailView {
    /// The order.
    #[serde(flatten)]
    order: OrderView,
    /// Its lines.
    lines: Vec<OrderLineView>,
    /// Its life so far, oldest first.
    events: Vec<OrderEventView>,
    /// Its payment and its refunds.
    payments: Vec<MovementView>,
    /// What came back of it.
    returns: Vec<CreditNoteView>,
}

impl From<OrderDetail> for OrderDetailView {
    fn from(detail: OrderDetail) -> Self {
        let lines = detail.lines.into_iter().map(|line| OrderLineView {
            line: line.line,
            sku: line.sku.to_string(),
            name: line.name,
            quantity: line.quantity,
            price: line.unit.into(),
            returned: line.returned,
        });
        let events = detail
            .events
            .into_iter()
            .map(|event| OrderEventView { status: event.status.into(), at: event.at });
        let payments = detail.payments.into_iter().map(|payment| MovementView {
            kind: PaymentKind::name(payment.kind),
            amount: payment.amount.into(),
            state: payment.state.name(),
        });
        Self {
            order: detail.order.into(),
            lines: lines.collect(),
            events: events.collect(),
            payments: payments.collect(),
            returns: detail.notes.into_iter().map(Into::into).collect(),
        }
    }
}

async fn list(state: &AppState, who: &SignedIn, query: &OrderQuery) -> Result<Answer<OrderPage>, ApiError> {
    let page = state.rooms().orders.list(&who.caller.principal, query).await?;
    let items = page.items.into_iter().map(OrderView::from).collect();
    Ok(Answer::new(OrderPage { items, next: page.next.map(|cursor| cursor.as_str().to_owned()) }))
}

/// List one's orders
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    tag = "orders",
    params(OrderParams),
    responses((status = 200, description = "A page of one's orders.", body = OrderPage))
)]
async fn list_orders(
    State(state): State<AppState>,
    who: SignedIn,
    Query(params): Query<OrderParams>,
) -> Result<Answer<OrderPage>, ApiError> {
    list(&state, &who, &params.query(false)).await
}

/// List everybody's orders
///
/// Needs the role support.
#[utoipa::path(
    get,
    path = "/api/v1/admin/orders",
    tag = "admin",
    params(OrderParams),
    responses((status = 200, description = "A page of orders.", body = OrderPage))
)]
async fn list_all_orders(
    State(state): State<AppState>,
    who: May<SeeOrders>,
    Query(params): Query<OrderParams>,
) -> Result<Answer<OrderPage>, ApiError> {
    list(&state, &who, &params.query(true)).await
}

/// Look at an order
///
/// One's own; with the role support, anybody's.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}",
    tag = "orders",
    params(("id" = i64, Path, description = "The order's number.", minimum = 1)),
    responses((status = 200, description = "The order with everything that belongs to it.", body = OrderDetailView))
)]
async fn get_order(
    State(state): State<AppState>,
    who: SignedIn,
    Path(OrderNo(id)): Path<OrderNo>,
) -> Result<Answer<OrderDetailView>, ApiError> {
    let detail = state.rooms().orders.get(&who.caller.principal, id).await?;
    Ok(Answer::new(detail.into()))
}

/// Cancel an order
///
/// One's own, until it is packed; with the role manager, anybody's until it is shipped. The goods go back on the
/// shelf, and money that was taken goes back.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/cancel",
    tag = "orders",
    params(("id" = i64, Path, description = "The order's number.", minimum = 1)),
    responses(
        (status = 200, description = "The order, cancelled.", body = OrderView),
        (status = 409, description = "It is too late."),
    )
)]
async fn cancel_order(
    State(state): State<AppState>,
    who: SignedIn,
    Path(OrderNo(id)): Path<OrderNo>,
) -> Result<Answer<OrderView>, ApiError> {
    let (orders, principal) = (&state.rooms().orders, &who.caller.principal);
    let order = match orders.step(principal, id, Step::Cancel).await {
        // Of one's own order one may give up what is not packed yet: it is the time that forbids it.
        Err(error @ OrderError::Forbidden(_)) => {
            let own = orders.get(principal, id).await?.order.buyer == principal.user();
            let late = Problem::new(Kind::Conflict, "it is too late: the order is packed, or over");
            return Err(if own { late.into() } else { error.into() });
        }
        other => other?,
    };
    Ok(Answer::new(order.into()))
}

/// What moves an order on.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StepName {
    /// Put into a parcel.
    Pack,
    /// Handed to the carrier.
    Ship,
    /// Arrived.
    Deliver,
    /// Given up.
    Cancel,
    /// Everything came back.
    Return,
}

/// The next step of an order's life.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStep {
    /// Which.
    step: StepName,
}

/// Move an order on
///
/// Needs the role manager; for `return`, support.
#[utoipa::path(
    post,
    path = "/api/v1/admin/orders/{id}/steps",
    tag = "admin",
    params(("id" = i64, Path, description = "The order's number.", minimum = 1)),
    request_body = NewStep,
    responses(
        (status = 200, description = "The order after it.", body = OrderView),
        (status = 409, description = "The order does not stand where the step begins."),
    )
)]
async fn step_order(
    State(state): State<AppState>,
    who: May<TakeReturns>,
    Path(OrderNo(id)): Path<OrderNo>,
    Json(new): Json<NewStep>,
) -> Result<Answer<OrderView>, ApiError> {
    let step = match new.step {
        StepName::Pack => Step::Pack,
        StepName::Ship => Step::Ship,
        StepName::Deliver => Step::Deliver,
        StepName::Cancel => Step::Cancel,
        StepName::Return => Step::Return,
    };
    let order = state.rooms().orders.step(&who.caller.principal, id, step).await?;
    Ok(Answer::new(order.into()))
}
