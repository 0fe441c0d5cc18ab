//! Webhook endpoints, for those who run the system: who is told of what.
//!
//! **Invariant.** A secret is answered where it is drawn and nowhere else.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use pulse_core::Timestamp;
use pulse_data::webhooks::{Endpoint, EndpointChange, EndpointId, EventKind, NewEndpoint, SigningSecret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accounts::Number;
use super::{Answer, no_content};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::field::{Choices, Int, Text};
use crate::permit::{ManageWebhooks, May};
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_webhooks, create_webhook))
        .routes(routes!(get_webhook, change_webhook, delete_webhook))
        .routes(routes!(rotate_webhook))
        .routes(routes!(test_webhook))
}

/// What an endpoint can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EventKind)]
pub(crate) enum EventName {
    /// A cart became an order.
    #[serde(rename = "order.placed")]
    Placed,
    /// Its payment has come in.
    #[serde(rename = "order.paid")]
    Paid,
    /// Its parcel is with the carrier.
    #[serde(rename = "order.shipped")]
    Shipped,
    /// Its parcel is with the buyer.
    #[serde(rename = "order.delivered")]
    Delivered,
    /// It was given up; its stock is back.
    #[serde(rename = "order.cancelled")]
    Cancelled,
    /// All of it came back.
    #[serde(rename = "order.returned")]
    Returned,
    /// Money has gone back to its buyer.
    #[serde(rename = "order.refunded")]
    Refunded,
    /// There is little left of a product.
    #[serde(rename = "stock.low")]
    StockLow,
}

impl From<EventName> for EventKind {
    fn from(name: EventName) -> Self {
        match name {
            EventName::Placed => Self::OrderPlaced,
            EventName::Paid => Self::OrderPaid,
            EventName::Shipped => Self::OrderShipped,
            EventName::Delivered => Self::OrderDelivered,
            EventName::Cancelled => Self::OrderCancelled,
            EventName::Returned => Self::OrderReturned,
            EventName::Refunded => Self::OrderRefunded,
            EventName::StockLow => Self::StockLow,
        }
    }
}

/// An endpoint that is told what happens in the shop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct WebhookView {
    /// Its number.
    id: i64,
    /// Its address.
    url: String,
    /// What it is told of.
    #[schema(value_type = Vec<EventName>)]
    events: Vec<&'static str>,
    /// For people.
    description: String,
    /// Whether it is told at all.
    enabled: bool,
    /// Until when the secret before signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    old_secret_until: Option<Timestamp>,
    /// Since when it has taken nothing; absent while things are well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, nullable = false)]
    failing_since: Option<Timestamp>,
    /// Why the shop has switched it off by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disabled_reason: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Endpoint> for WebhookView {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id.0,
            url: endpoint.url,
            events: endpoint.events.into_iter().map(EventKind::name).collect(),
            description: endpoint.description,
            enabled: endpoint.enabled,
            old_secret_until: endpoint.old_secret_until,
            failing_since: endpoint.failing_since,
            disabled_reason: endpoint.disabled_reason,
            created_at: endpoint.created_at,
        }
    }
}

/// All endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhooks {
    /// The endpoints, by number; at most 50.
    items: Vec<WebhookView>,
}

/// List the webhook endpoints
///
/// Needs the role admin.
#[utoipa::path(
    get,
    path = "/api/v1/admin/webhooks",
    tag = "admin",
    responses((status = 200, description = "The endpoints.", body = Webhooks))
)]
async fn list_webhooks(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
) -> Result<Answer<Webhooks>, ApiError> {
    let endpoints = state.rooms().webhooks.list(&who.caller.principal).await?;
    Ok(Answer::new(Webhooks { items: endpoints.into_iter().map(WebhookView::from).collect() }))
}

/// An endpoint to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhook {
    /// Its address: http or https, without user, password or fragment.
    #[schema(inline, example = "https://example.com/hooks/pulse")]
    url: Text<1, 2000>,
    /// What it is told of.
    #[schema(value_type = Vec<EventName>, min_items = 1, max_items = 8)]
    events: Choices<EventName, 1, 8>,
    /// For people.
    #[serde(default)]
    #[schema(inline, required = false)]
    description: Option<Text<0, 200>>,
}

/// An endpoint with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedWebhook {
    /// The endpoint.
    webhook: WebhookView,
    /// What messages are signed with, in the form of Standard Webhooks. It is not shown again.
    #[schema(example = "whsec_…")]
    secret: String,
}

/// Make a webhook endpoint
///
/// Messages are signed as Standard Webhooks says: the headers `webhook-id`, `webhook-timestamp` and
/// `webhook-signature`, whose `v1,…` is HMAC-SHA256 over `id.timestamp.body` in base64. Whatever is not answered with 2xx is
/// sent again under the same id, with growing pauses, for days. Redirects are not followed; 410 switches the endpoint off.
/// Needs the role admin.
#[utoipa::path(
    post,
    path = "/api/v1/admin/webhooks",
    tag = "admin",
    request_body = NewWebhook,
    responses(
        (status = 201, description = "The endpoint and its secret.", body = CreatedWebhook),
        (status = 409, description = "There are 50 endpoints already."),
    )
)]
async fn create_webhook(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Json(new): Json<NewWebhook>,
) -> Result<Answer<CreatedWebhook, 201>, ApiError> {
    let wanted = NewEndpoint {
        url: new.url.0,
        events: new.events.0.into_iter().map(EventKind::from).collect(),
        description: new.description.map(|text| text.0).unwrap_or_default(),
    };
    let (endpoint, secret) = state.rooms().webhooks.create(&who.caller.principal, wanted).await?;
    let location = format!("/api/v1/admin/webhooks/{}", endpoint.id);
    let created = CreatedWebhook { webhook: endpoint.into(), secret: secret.reveal().to_owned() };
    Ok(Answer::new(created).location(&location))
}

/// Look at a webhook endpoint
///
/// Needs the role admin.
#[utoipa::path(
    get,
    path = "/api/v1/admin/webhooks/{id}",
    tag = "admin",
    params(("id" = i64, Path, description = "The endpoint's number.", minimum = 1)),
    responses((status = 200, description = "The endpoint.", body = WebhookView))
)]
async fn get_webhook(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Path(Number(id)): Path<Number>,
) -> Result<Answer<WebhookView>, ApiError> {
    let endpoint = state.rooms().webhooks.get(&who.caller.principal, EndpointId(id)).await?;
    Ok(Answer::new(endpoint.into()))
}

/// What is to change of an endpoint; absent fields stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeWebhook {
    /// Its address.
    #[schema(inline)]
    url: Option<Text<1, 2000>>,
    /// What it is told of.
    #[schema(value_type = Option<Vec<EventName>>, min_items = 1, max_items = 8)]
    events: Option<Choices<EventName, 1, 8>>,
    /// For people.
    #[schema(inline)]
    description: Option<Text<0, 200>>,
    /// Whether it is told at all. Off, what waits for it has failed; on, it begins anew.
    enabled: Option<bool>,
}

/// Change a webhook endpoint
///
/// Needs the role admin.
#[utoipa::path(
    patch,
    path = "/api/v1/admin/webhooks/{id}",
    tag = "admin",
    params(("id" = i64, Path, description = "The endpoint's number.", minimum = 1)),
    request_body = ChangeWebhook,
    responses((status = 200, description = "The endpoint after it.", body = WebhookView))
)]
async fn change_webhook(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Path(Number(id)): Path<Number>,
    Json(new): Json<ChangeWebhook>,
) -> Result<Answer<WebhookView>, ApiError> {
    let change = EndpointChange {
        url: new.url.map(|text| text.0),
        events: new.events.map(|events| events.0.into_iter().map(EventKind::from).collect()),
        description: new.description.map(|text| text.0),
        enabled: new.enabled,
    };
    let endpoint = state.rooms().webhooks.change(&who.caller.principal, EndpointId(id), change).await?;
    Ok(Answer::new(endpoint.into()))
}

/// Delete a webhook endpoint
///
/// The log of its deliveries goes with it. Needs the role admin.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/webhooks/{id}",
    tag = "admin",
    params(("id" = i64, Path, description = "The endpoint's number.", minimum = 1)),
    responses((status = 204, description = "It is gone."))
)]
async fn delete_webhook(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Path(Number(id)): Path<Number>,
) -> Result<Response, ApiError> {
    state.rooms().webhooks.delete(&who.caller.principal, EndpointId(id)).await?;
    Ok(no_content(None))
}

/// How a secret is changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// For so many hours the secret before signs too.
    #[schema(inline)]
    overlap_hours: Int<0, 720>,
}

/// A secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrawnSecret {
    /// What messages are signed with from now on. It is not shown again.
    #[schema(example = "whsec_…")]
    secret: String,
}

impl From<SigningSecret> for DrawnSecret {
    fn from(secret: SigningSecret) -> Self {
        Self { secret: secret.reveal().to_owned() }
    }
}

/// Draw a new secret
///
/// While both secrets sign, `webhook-signature` has two signatures with a blank between. Needs the role admin.
#[utoipa::path(
    post,
    path = "/api/v1/admin/webhooks/{id}/secret",
    tag = "admin",
    params(("id" = i64, Path, description = "The endpoint's number.", minimum = 1)),
    request_body = Rotation,
    responses((status = 200, description = "The new secret.", body = DrawnSecret))
)]
async fn rotate_webhook(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Path(Number(id)): Path<Number>,
    Json(rotation): Json<Rotation>,
) -> Result<Answer<DrawnSecret>, ApiError> {
    let hours = rotation.overlap_hours.get().unsigned_abs();
    let overlap = Duration::from_secs(hours * 3_600);
    let secret = state.rooms().webhooks.rotate(&who.caller.principal, EndpointId(id), overlap).await?;
    Ok(Answer::new(secret.into()))
}

/// A delivery's number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryNumber {
    /// Look at it under `/api/v1/admin/webhook-deliveries/{id}`.
    delivery: i64,
}

/// Send a test message
///
/// A message of the type `webhook.test`. Needs the role admin.
#[utoipa::path(
    post,
    path = "/api/v1/admin/webhooks/{id}/test",
    tag = "admin",
    params(("id" = i64, Path, description = "The endpoint's number.", minimum = 1)),
    responses(
        (status = 202, description = "It is on its way.", body = DeliveryNumber),
        (status = 409, description = "The endpoint is switched off."),
    )
)]
async fn test_webhook(
    State(state): State<AppState>,
    who: May<ManageWebhooks>,
    Path(Number(id)): Path<Number>,
) -> Result<Answer<DeliveryNumber, 202>, ApiError> {
    let delivery = state.rooms().webhooks.test(&who.caller.principal, EndpointId(id)).await?;
    state.rooms().wake.queue(pulse_data::webhooks::WEBHOOK_QUEUE);
    Ok(Answer::new(DeliveryNumber { delivery: delivery.0 }))
}
