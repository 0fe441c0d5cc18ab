//! The JSON API, `/api/v1`: one module a resource, each with its routes and the shapes it speaks.
//!
//! **Invariant.** A route exists if and only if the OpenAPI document describes it: both are made from the same
//! annotation by [`routes`]. Handlers check nothing that a context checks, but the permission that
//! it will ask for, before they read what was sent; they translate.

mod account_admin;
mod accounts;
mod audit;
mod cart;
mod catalogue;
mod checkout;
mod feeds;
pub(crate) mod orders;
mod products;
mod promotions;
mod returns;
pub(crate) mod sessions;
pub(crate) mod shapes;
mod webhook_log;
mod webhooks;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

/// Every route with its description.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(catalogue::routes())
        .merge(cart::routes())
        .merge(checkout::routes())
        .merge(orders::routes())
        .merge(returns::routes())
        .merge(sessions::routes())
        .merge(accounts::routes())
        .merge(products::routes())
        .merge(promotions::routes())
        .merge(account_admin::routes())
        .merge(audit::routes())
        .merge(webhooks::routes())
        .merge(webhook_log::routes())
        .merge(feeds::routes())
}

/// A JSON body. Only our own shapes go out, and they can always be written.
pub(crate) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// An answer in JSON with more headers.
pub(crate) struct Answer<T, const STATUS: u16 = 200> {
    body: T,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl<T, const STATUS: u16> Answer<T, STATUS> {
    pub(crate) fn new(body: T) -> Self {
        Self { body, headers: Vec::new() }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: Option<HeaderValue>) -> Self {
        self.headers.extend(value.map(|value| (name, value)));
        self
    }

    pub(crate) fn cookie(self, cookie: Option<HeaderValue>) -> Self {
        self.header(header::SET_COOKIE, cookie)
    }

    pub(crate) fn location(self, path: &str) -> Self {
        self.header(header::LOCATION, HeaderValue::from_str(path).ok())
    }
}

impl<T: Serialize, const STATUS: u16> IntoResponse for Answer<T, STATUS> {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(STATUS).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = (status, kind, json(&self.body)).into_response();
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

/// Nothing to say but headers: 204.
pub(crate) fn no_content(cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    let mut response = axum::http::StatusCode::NO_CONTENT.into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether the client has this version already (`If-None-Match`, RFC 9110, weak comparison).
pub(crate) fn has_already(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let etag = etag.as_bytes();
    headers.get_all(header::IF_NONE_MATCH).iter().any(|line| {
        line.as_bytes().split(|byte| *byte == b',').any(|one| {
            let one = one.trim_ascii();
            one == b"*" || one.strip_prefix(b"W/").unwrap_or(one) == etag
        })
    })
}
