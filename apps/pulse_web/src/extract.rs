//! What a handler needs of a request, as types in its signature: [`Json`], [`Query`], [`Path`].
//!
//! **Invariant.** Whatever is wrong with a request's body, query or path is told as a problem that names the field (of a
//! body: every field);
//! a handler only ever sees values that its types accept. Bodies are bounded in bytes and in time.

use std::borrow::Cow;
use std::str::FromStr;

use axum::body::{Bytes, HttpBody};
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use pulse_data::feeds::Format;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::faults;
use crate::field::{self, Object};
use crate::problem::{FieldFault, Kind, Problem};
use crate::state::AppState;

/// A body of `application/json`.
pub(crate) struct Json<T>(pub(crate) T);

/// A body of `application/json` that may be as large as a delivery.
pub(crate) struct LargeJson<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        read(request, state, state.config().body_bytes).await.map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for LargeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        read(request, state, state.config().delivery_bytes).await.map(Self)
    }
}

/// Rows of a feed, as they were sent.
pub(crate) struct FeedBody {
    pub(crate) format: Format,
    pub(crate) bytes: Bytes,
}

impl FromRequest<AppState> for FeedBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let format = match essence(&request).as_deref() {
            Some("text/csv") => Format::Csv,
            Some("application/x-ndjson") => Format::Ndjson,
            _ => {
                let detail = "send the rows as `content-type: text/csv` or `application/x-ndjson`";
                return Err(Problem::new(Kind::UnsupportedType, detail));
            }
        };
        let bytes = collect(request, state, state.config().feed_bytes).await?;
        Ok(Self { format, bytes })
    }
}

async fn read<T: DeserializeOwned>(request: Request, state: &AppState, most: usize) -> Result<T, Problem> {
    if essence(&request).as_deref() != Some("application/json") {
        return Err(Problem::new(Kind::UnsupportedType, "send the body as `content-type: application/json`"));
    }
    parse(&collect(request, state, most).await?)
}

/// The type of a body, without its parameters.
fn essence(request: &Request) -> Option<String> {
    request.headers().get(CONTENT_TYPE)?.to_str().ok().map(essence_of)
}

fn essence_of(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A whole body, within its bounds.
async fn collect(request: Request, state: &AppState, most: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Kind::TooLarge, format!("the body may have {most} bytes at most"));
    let body = request.into_body();
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let arriving = Limited::new(body, most).collect();
    let Ok(arrived) = tokio::time::timeout(state.config().body_time, arriving).await else {
        return Err(Problem::new(Kind::TooSlow, "the body did not arrive in time: send it again"));
    };
    let body = arrived.map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large()
        } else {
            Problem::new(Kind::Malformed, "the body did not arrive whole")
        }
    })?;
    Ok(body.to_bytes())
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let broken = |error| Problem::new(Kind::Malformed, format!("the body is no JSON: {error}"));
    let value = object(&mut reader).map_err(|error| match error {
        Unreadable::Broken(error) => broken(error),
        Unreadable::Faulty { told, .. } => Problem::invalid(faults::all::<T>(body, told)),
    })?;
    reader.end().map_err(broken)?;
    Ok(value)
}

/// Why an object was not read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is no JSON.
    Broken(serde_json::Error),
    /// A field is at fault.
    Faulty {
        /// What the client is told.
        told: FieldFault,
        /// What serde said.
        message: String,
    },
}

/// Reads an object, up to its first fault.
pub(crate) fn object<'de, T, D>(reader: D) -> Result<T, Unreadable>
where
    T: Deserialize<'de>,
    D: Deserializer<'de, Error = serde_json::Error>,
{
    let read: Result<Object<T>, _> = serde_path_to_error::deserialize(reader);
    read.map(|Object(value)| value).map_err(|error| {
        let place = pointer(error.path());
        let inner = error.into_inner();
        if inner.classify() != serde_json::error::Category::Data {
            return Unreadable::Broken(inner);
        }
        // serde_json adds the place, which the pointer tells better.
        let mut message = inner.to_string();
        message.truncate(message.rfind(" at line ").unwrap_or(message.len()));
        Unreadable::Faulty { told: fault(place, &message, "/"), message }
    })
}

/// A path within a body as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Map { key } | Segment::Enum { variant: key } => {
                text.push('/');
                text.push_str(&escaped(key));
            }
            Segment::Seq { index } => {
                text.push('/');
                text.push_str(&index.to_string());
            }
            Segment::Unknown => {}
        }
    }
    text
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What serde said, as a fault of a field. Where it speaks of a field inside `place`, that one is at fault.
fn fault(place: String, message: &str, separator: &str) -> FieldFault {
    if let Some((code, detail)) = field::split(message) {
        return FieldFault::new(place, code, detail);
    }
    let named = message.split('`').nth(1).unwrap_or_default();
    let inside = |place: String| {
        // For an unknown field the path already ends with it.
        let last = match separator {
            "/" => format!("/{}", escaped(named)),
            _ => format!("{separator}{named}"),
        };
        if place.ends_with(&last) { place } else { place + &last }
    };
    if message.starts_with("missing field") {
        FieldFault::new(inside(place), "required", "must be there")
    } else if message.starts_with("unknown field") {
        FieldFault::new(inside(place), "unknown", "there is no such field")
    } else if message.starts_with("duplicate field") {
        FieldFault::new(inside(place), "duplicate", "may be there only once")
    } else if message.starts_with("unknown variant") {
        let choices = message.split_once("expected ").map_or("another value", |(_, choices)| choices);
        FieldFault::new(place, "choice", format!("must be {}", choices.replace('`', "")))
    } else {
        FieldFault::new(place, "type", message.to_owned())
    }
}

/// The query of an address.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        // Bytes that are no UTF-8 are replaced by this character; a client that means it writes it out.
        if !query.contains("%EF%BF%BD") && !query.contains("%ef%bf%bd") {
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
                    return Err(Problem::field(&name, "format", "must be UTF-8"));
                }
            }
        }
        let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(reader).map(Self).map_err(|error| {
            let place = pointer(error.path()).trim_start_matches('/').to_owned();
            Problem::invalid(vec![fault(place, &error.inner().to_string(), "")])
        })
    }
}

/// The one variable part of a path. What can't be a name of anything names nothing: 404.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: FromStr> FromRequestParts<AppState> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let nothing = |detail: Cow<'static, str>| Problem::new(Kind::NotFound, detail);
        let text: Result<axum::extract::Path<String>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        match text {
            Ok(axum::extract::Path(text)) => match text.parse() {
                Ok(value) => Ok(Self(value)),
                Err(_) => Err(nothing("nothing can have the name that the address gives".into())),
            },
            Err(PathRejection::FailedToDeserializePathParams(error))
                if matches!(error.kind(), ErrorKind::InvalidUtf8InPathParam { .. }) =>
            {
                Err(nothing("the address is not UTF-8".into()))
            }
            Err(error) => Err(nothing(error.to_string().into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Pieces, SkuText};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[expect(dead_code, reason = "only its being there matters")]
        sku: SkuText,
        #[expect(dead_code, reason = "only its being there matters")]
        quantity: Pieces,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Lines {
        #[expect(dead_code, reason = "only its being there matters")]
        lines: field::Items<Line, 0, 9>,
    }

    fn faults(json: &'static str) -> (Kind, String, String) {
        let problem = parse::<Lines>(&Bytes::from_static(json.as_bytes())).unwrap_err();
        let first = problem.errors.first().map(|fault| (fault.field.clone(), fault.code.clone()));
        let (field, code) = first.unwrap_or_default();
        (problem.kind, field, code)
    }

    #[test]
    fn a_fault_in_a_body_names_its_place() {
        let invalid = |json, field: &str, code: &str| {
            assert_eq!(faults(json), (Kind::Invalid, field.to_owned(), code.to_owned()), "{json}");
        };
        invalid(r"{}", "/lines", "required");
        invalid(r#"{"lines":[],"x":1}"#, "/x", "unknown");
        invalid(r#"{"lines":[{"sku":"A","quantity":0}]}"#, "/lines/0/quantity", "range");
        invalid(
            r#"{"lines":[{"sku":"A","quantity":1},{"sku":"a b","quantity":1}]}"#,
            "/lines/1/sku",
            "format",
        );
        invalid(r#"{"lines":[{"sku":"A"}]}"#, "/lines/0/quantity", "required");
        invalid(r#"{"lines":[{"sku":7,"quantity":1}]}"#, "/lines/0/sku", "type");
        invalid(r#"{"lines":[],"lines":[]}"#, "/lines", "duplicate");
        invalid("[]", "", "type");
        invalid(r#"[[{"sku":"A","quantity":1}]]"#, "", "type");
        invalid(r#"{"lines":[["A",1]]}"#, "/lines/0", "type");
        for broken in ["", "{", "{\"lines\":[]} x", "\u{7f}"] {
            assert_eq!(faults(broken).0, Kind::Malformed, "{broken:?}");
        }
    }

    #[test]
    fn only_json_is_json() {
        assert_eq!(essence_of("Application/JSON; charset=utf-8"), "application/json");
        assert_eq!((essence_of("text/json"), essence_of("")), ("text/json".to_owned(), String::new()));
    }
}
