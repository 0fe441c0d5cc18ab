//! What the API says when it does not do what was asked: a problem (RFC 9457), `application/problem+json`.
//!
//! **Invariant.** Every answer with a status of 400 or more carries one. A problem's body is written in one place,
//! the edge, which adds the request it belongs to; until then it travels as an extension of the response.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pulse_core::order::Shortage;
use serde::Serialize;
use utoipa::ToSchema;

/// The kinds of problem. Each has a page section of its name at `/api/docs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The body is no JSON, or a header makes no sense.
    Malformed,
    /// The request names no way to know who asks, or a wrong one.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// The page that sent this is not the shop's, or its token is missing.
    CrossSite,
    /// There is no such thing.
    NotFound,
    /// There is such a thing, but it can't do this.
    MethodNotAllowed,
    /// The body took too long to arrive.
    TooSlow,
    /// It does not fit the state of things.
    Conflict,
    /// There is less of it than was asked for.
    OutOfStock,
    /// Somebody else changed it first.
    Stale,
    /// The body is too large.
    TooLarge,
    /// The body is of a type that isn't understood.
    UnsupportedType,
    /// Understood, but some fields make no sense.
    Invalid,
    /// A change that must name the version it is made to does not.
    VersionRequired,
    /// Too many requests.
    RateLimited,
    /// A fault of the shop.
    Internal,
    /// Not now.
    Unavailable,
}

impl Kind {
    /// Every kind, by status.
    pub const ALL: [Self; 17] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooSlow,
        Self::Conflict,
        Self::OutOfStock,
        Self::Stale,
        Self::TooLarge,
        Self::UnsupportedType,
        Self::Invalid,
        Self::VersionRequired,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The last part of its type.
    pub const fn slug(self) -> &'static str {
        self.facts().0
    }

    /// What it says to people; the same for each occurrence.
    pub const fn title(self) -> &'static str {
        self.facts().1
    }

    /// Its status code.
    pub const fn status(self) -> StatusCode {
        self.facts().2
    }

    const fn facts(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Malformed => ("malformed", "The request can't be read", StatusCode::BAD_REQUEST),
            Self::Unauthenticated => ("unauthenticated", "Sign in first", StatusCode::UNAUTHORIZED),
            Self::Forbidden => ("forbidden", "This account may not do that", StatusCode::FORBIDDEN),
            Self::CrossSite => {
                ("cross-site", "The request does not come from the shop", StatusCode::FORBIDDEN)
            }
            Self::NotFound => ("not-found", "There is no such thing", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => {
                ("method-not-allowed", "That can't be done with it", StatusCode::METHOD_NOT_ALLOWED)
            }
            Self::TooSlow => ("too-slow", "The request took too long to arrive", StatusCode::REQUEST_TIMEOUT),
            Self::Conflict => ("conflict", "That does not fit how things are", StatusCode::CONFLICT),
            Self::OutOfStock => ("out-of-stock", "There is not enough in stock", StatusCode::CONFLICT),
            Self::Stale => ("stale", "It was changed by somebody else", StatusCode::PRECONDITION_FAILED),
            Self::TooLarge => ("too-large", "The request is too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::UnsupportedType => {
                ("unsupported-type", "The body has the wrong type", StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::Invalid => ("invalid", "Some fields make no sense", StatusCode::UNPROCESSABLE_ENTITY),
            Self::VersionRequired => {
                ("version-required", "Say which version you change", StatusCode::PRECONDITION_REQUIRED)
            }
            Self::RateLimited => ("rate-limited", "Too many requests", StatusCode::TOO_MANY_REQUESTS),
            Self::Internal => ("internal", "Something went wrong here", StatusCode::INTERNAL_SERVER_ERROR),
            Self::Unavailable => ("unavailable", "Not just now", StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// What an answer of that status means where nothing more is known.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match Self::ALL.into_iter().find(|kind| kind.status() == status) {
            Some(kind) => kind,
            None if status.is_server_error() => Self::Internal,
            None => Self::Malformed,
        }
    }
}

/// One field that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// Where it is: a JSON pointer into the body (`/lines/0/quantity`), or the name of a parameter or header.
    #[schema(example = "/quantity")]
    pub field: String,
    /// What is wrong, for programs: `required`, `unknown`, `type`, `range`, `length`, `format`, `taken`, ...
    #[schema(example = "range")]
    pub code: String,
    /// What is wrong, for people.
    #[schema(example = "must be between 1 and 10000")]
    pub detail: String,
}

impl FieldFault {
    /// One fault.
    pub fn new(field: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), detail: detail.into() }
    }
}

/// A problem on its way out.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What kind.
    pub kind: Kind,
    /// What happened this time, and what to do.
    pub detail: Cow<'static, str>,
    /// The fields at fault.
    pub errors: Vec<FieldFault>,
    /// What there is too little of.
    pub shortages: Vec<Shortage>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem without fields.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = matches!(kind, Kind::Unavailable | Kind::RateLimited).then_some(1);
        Self { kind, detail: detail.into(), errors: Vec::new(), shortages: Vec::new(), retry_after }
    }

    /// Fields that make no sense.
    pub fn invalid(errors: Vec<FieldFault>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.detail),
            many => format!("{} fields make no sense", many.len()),
        };
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }

    /// One field that makes no sense.
    pub fn field(field: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldFault::new(field, code, detail)])
    }

    /// The body as it is sent.
    pub(crate) fn body(&self, request: &str) -> Vec<u8> {
        let document = ProblemDocument {
            r#type: format!("/api/docs#problem-{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail.to_string(),
            instance: format!("urn:request:{request}"),
            errors: self.errors.clone(),
            shortages: self.shortages.iter().map(ShortageView::from).collect(),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

/// A problem (RFC 9457): what kind it is, what happened, and which fields are at fault.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument {
    /// The kind, as an address of its description.
    #[schema(example = "/api/docs#problem-invalid")]
    r#type: String,
    /// The kind, for people.
    title: &'static str,
    /// The status code, once more.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time.
    detail: String,
    /// The request it happened to, as in the `x-request-id` header.
    instance: String,
    /// The fields at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldFault>,
    /// What there is too little of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    shortages: Vec<ShortageView>,
}

/// A product of which there is not enough.
#[derive(Serialize, ToSchema)]
#[schema(as = Shortage)]
pub(crate) struct ShortageView {
    /// The product.
    sku: String,
    /// How many were asked for.
    wanted: i64,
    /// How many are left.
    left: i64,
}

impl From<&Shortage> for ShortageView {
    fn from(shortage: &Shortage) -> Self {
        Self { sku: shortage.sku.to_string(), wanted: shortage.wanted, left: shortage.left }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthenticated {
            let scheme = HeaderValue::from_static("Bearer realm=\"shop\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response.extensions_mut().insert(self);
        response
    }
}
