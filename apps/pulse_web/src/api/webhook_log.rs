//! What was sent to webhook endpoints, attempt by attempt, and sending it again.
//!
//! **Invariant.** The log is read here and never changed; sent again is the same message under the same id.

use axum::extract::State;
use pulse_core::Timestamp;
use pulse_data::page::Cursor;
use pulse_data::webhooks::{
    Attempt, Delivery, DeliveryId, DeliveryQuery, DeliveryState, EndpointId, WEBHOOK_QUEUE,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::accounts::Number;
use super::shapes::{PageSize, page_size};
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::field::{CursorText, Int, RowId};
use crate::permit::{ManageWebhooks, May};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_deliveries))
        .routes(routes!(get_delivery))
        .routes(routes!(redeliver))
        .routes(routes!(redeliver_failed))
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DeliveryState)]
pub(crate) enum StateName {
    /// It is under way.
    Pending,
    /// It was taken.
    Delivered,
    /// It was given up.
    Failed,
}

impl From<DeliveryState> for StateName {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Pending => Self::Pending,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Failed => Self::Failed,
        }
    }
}

impl From<StateName> for DeliveryState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Pending => Self::Pending,
            StateName::Delivered => Self::Delivered,
            StateName::Failed => Self::Failed,
        }
    }
}

/// Which deliveries; newest first.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryParams {
    /// Only to this endpoint.
    #[param(inline)]
    endpoint: Option<RowId>,
    /// Only those that are so far.
    #[param(inline)]
    state: Option<StateName>,
    /// Where the last page ended: its `next`.
    #[param(inline)]
    after: Option<CursorText>,
    /// Rows of a page; 20 where absent.
    #[param(inline)]
    limit: Option<PageSize>,
}

/// One event on its way to one endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryView {
    /// Its number.
    id: i64,
    /// The endpoint's number.
    endpoint: i64,
    /// The event's id, as the endpoint sees it.
    event_id: String,
    /// The event's type.
    event: &'static str,
    /// How far it is.
    state: StateName,
    /// How often it was tried.
    attempts: i64,
    /// When the event was told.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was taken or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    ended_at: Option<Timestamp>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id.0,
            endpoint: delivery.endpoint.0,
            event_id: delivery.event_id,
            event: delivery.event.name(),
            state: delivery.state.into(),
            attempts: delivery.attempts,
            created_at: delivery.created_at,
            ended_at: delivery.ended_at,
        }
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryPage {
    /// The deliveries, newest first.
    items: Vec<DeliveryView>,
    /// `after` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// List webhook deliveries
///
/// Needs the role admin.
#[utoipa::path(
    get,
    path = "/api/v1/admin/webhook-deliveries",
    tag = "admin",
    params(DeliveryParams),
    responses((status = 200, description = "A page of deliveries.", body = DeliveryPage))
)]
async fn list_deliveries(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Query(params): Query<DeliveryParams>,
) -> Result<Answer<DeliveryPage>, ApiError> {
    let query = DeliveryQuery {
        endpoint: params.endpoint.map(Int::get).map(EndpointId),
        state: params.state.map(Into::into),
        after: params.after.map(|text| Cursor::from_client(&text.0)),
        limit: page_size(params.limit),
    };
    let page = state.rooms().webhooks.deliveries(&who.caller.principal, &query).await?;
    let items = page.items.into_iter().map(DeliveryView::from).collect();
    Ok(Answer::new(DeliveryPage { items, next: page.next.map(|cursor| cursor.as_str().to_owned()) }))
}

/// One attempt at a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub(crate) struct AttemptView {
    /// Its number, from 1.
    attempt: i64,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The answer's status; absent where none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<i64>,
    /// How long it took, in milliseconds.
    millis: i64,
    /// The beginning of the answer, or why there was none.
    note: String,
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let Attempt { attempt, at, status, millis, note } = attempt;
        Self { attempt, at, status, millis, note }
    }
}

/// A delivery with its message and its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryDetail {
    /// The delivery.
    delivery: DeliveryView,
    /// The message's body, as it is sent.
    payload: String,
    /// The last 100 attempts, oldest first.
    attempts: Vec<AttemptView>,
}

/// Look at a webhook delivery
///
/// Needs the role admin.
#[utoipa::path(
    get,
    path = "/api/v1/admin/webhook-deliveries/{id}",
    tag = "admin",
    params(("id" = i64, Path, description = "The delivery's number.", minimum = 1)),
    responses((status = 200, description = "The delivery.", body = DeliveryDetail))
)]
async fn get_delivery(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Path(Number(id)): Path<Number>,
) -> Result<Answer<DeliveryDetail>, ApiError> {
    let found = state.rooms().webhooks.delivery(&who.caller.principal, DeliveryId(id)).await?;
    let (delivery, attempts) = found;
    let payload = delivery.payload.clone();
    let attempts = attempts.into_iter().map(AttemptView::from).collect();
    Ok(Answer::new(DeliveryDetail { delivery: delivery.into(), payload, attempts }))
}

/// Send a delivery once more
///
/// The same message under the same id; one that is under way is left alone. Needs the role admin.
#[utoipa::path(
    post,
    path = "/api/v1/admin/webhook-deliveries/{id}/redelivery",
    tag = "admin",
    params(("id" = i64, Path, description = "The delivery's number.", minimum = 1)),
    responses(
        (status = 202, description = "It is on its way.", body = DeliveryView),
        (status = 409, description = "The endpoint is switched off."),
    )
)]
async fn redeliver(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Path(Number(id)): Path<Number>,
) -> Result<Answer<DeliveryView, 202>, ApiError> {
    let delivery = state.rooms().webhooks.redeliver(&who.caller.principal, DeliveryId(id)).await?;
    state.rooms().wake.queue(WEBHOOK_QUEUE);
    Ok(Answer::new(delivery.into()))
}

/// How many deliveries are sent once more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Redelivered {
    /// So many, the oldest first; at most 1,000.
    deliveries: usize,
}

/// Send what has failed for an endpoint once more
///
/// Needs the role admin.
#[utoipa::path(
    post,
    path = "/api/v1/admin/webhooks/{id}/redelivery",
    tag = "admin",
    params(("id" = i64, Path, description = "The endpoint's number.", minimum = 1)),
    responses(
        (status = 202, description = "They are on their way.", body = Redelivered),
        (status = 409, description = "The endpoint is switched off."),
    )
)]
async fn redeliver_failed(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Path(Number(id)): Path<Number>,
) -> Result<Answer<Redelivered, 202>, ApiError> {
    let deliveries = state.rooms().webhooks.redeliver_failed(&who.caller.principal, EndpointId(id)).await?;
    state.rooms().wake.queue(WEBHOOK_QUEUE);
    Ok(Answer::new(Redelivered { deliveries }))
}
