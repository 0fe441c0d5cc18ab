//! From outcomes to statuses, in one place.
//!
//! **Invariant.** Every refusal is a problem document that says what to do; 429 and 503 say when.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::sink::SinkError;

/// Why a batch was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    Malformed { line: usize, reason: String },
    TooSlow,
    TooLarge { limit: usize },
    TooMany { limit: usize },
    MediaType,
    BodyBroken,
    Busy,
    Closed,
    Sink(SinkError),
}

impl From<SinkError> for Refused {
    fn from(error: SinkError) -> Self {
        Self::Sink(error)
    }
}

pub(super) fn accepted(records: usize) -> Response {
    json(StatusCode::ACCEPTED, "application/json", serde_json::json!({ "accepted": records }).to_string())
}

/// A body that could not be read: longer than allowed, or its client is gone.
pub(super) fn unread(error: &axum::Error, limit: usize) -> Refused {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return Refused::TooLarge { limit };
        }
        source = error.source();
    }
    Refused::BodyBroken
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, title, detail, retry_after) = match self {
            Self::Malformed { line, reason } => (
                StatusCode::BAD_REQUEST,
                "a record can't be read",
                format!("line {line}: {reason}; none of the records was taken"),
                None,
            ),
            Self::BodyBroken => {
                (StatusCode::BAD_REQUEST, "the body breaks off", "send the batch again".to_owned(), None)
            }
            Self::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "the body took too long",
                "send a smaller batch".to_owned(),
                None,
            ),
            Self::TooLarge { limit } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large",
                format!("a body has at most {limit} bytes: send smaller batches"),
                None,
            ),
            Self::TooMany { limit } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "there are too many records",
                format!("a batch has at most {limit} records: send smaller batches"),
                None,
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "this form is not understood",
                "send application/x-ndjson or application/json, not compressed".to_owned(),
                None,
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many batches at a time",
                "send the batch again".to_owned(),
                Some(1),
            ),
            Self::Closed => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no batches are taken now",
                "send the batch again".to_owned(),
                Some(5),
            ),
            Self::Sink(SinkError::Full { retry_after }) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too much waits already",
                "send the batch again later".to_owned(),
                Some(retry_after.as_secs().max(1)),
            ),
            Self::Sink(SinkError::Refused { place, reason }) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "a record is not taken",
                format!("record {place}: {reason}; none of the records was taken"),
                None,
            ),
            Self::Sink(SinkError::Away(reason)) => {
                tracing::warn!(reason, "a batch can't be stored");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "batches can't be stored now",
                    "send the batch again".to_owned(),
                    Some(1),
                )
            }
        };
        let problem = serde_json::json!({
            "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail,
        });
        let mut response = json(status, "application/problem+json", problem.to_string());
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn json(status: StatusCode, content_type: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
