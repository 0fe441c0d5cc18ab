//! The API's description, OpenAPI 3.1.
//!
//! **Invariant.** It is true: paths, parameters and shapes come from the annotations that the routes are made of, bounds
//! from the types that enforce them; and what all operations have in common (problems, headers, security) is
//! added here by rule, so no operation can forget it.

use serde_json::{Map, Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApiBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::api;
use crate::config::WebConfig;
use crate::problem::{Kind, ProblemDocument};

/// Tags whose operations nobody may use without an account.
const SIGNED_IN: [&str; 3] = ["orders", "account", "admin"];

/// The document. The same for every state of the shop, so it can be written without one.
pub fn openapi(config: &WebConfig) -> Value {
    let (_, document) = api::routes().split_for_parts();
    finish(document, config)
}

pub(crate) fn finish(routes: utoipa::openapi::OpenApi, config: &WebConfig) -> Value {
    let cookie = if config.is_https() { "__Host-pulse-session" } else { "pulse-session" };
    let components = ComponentsBuilder::new()
        .security_scheme(
            "bearer",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some("An API token, for programs (`POST /api/v1/account/tokens`)."))
                    .build(),
            ),
        )
        .security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                cookie,
                "A browser's session (`POST /api/v1/session`).",
            ))),
        )
        .security_scheme(
            "csrf",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "X-CSRF-Token",
                "The session's `csrf_token`; must come with the session's cookie where something is changed.",
            ))),
        )
        .build();
    let info = InfoBuilder::new()
        .title("Pulse")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The shop's API. Everything is JSON; what can't be done is told as a problem (RFC 9457). \
             Amounts are whole pence, times are UTC (RFC 3339), lists come in pages that go on at `next`.",
        ))
        .license(Some(utoipa::openapi::LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()))
        .build();
    let mut document = OpenApiBuilder::new().info(info).components(Some(components)).build();
    document.merge(routes);
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["servers"] = json!([{ "url": "/" }]);
    document["tags"] = json!([
        { "name": "catalogue", "description": "What is for sale." },
        { "name": "cart", "description": "The caller's cart and its checkout; guests have one too." },
        { "name": "orders", "description": "One's orders." },
        { "name": "session", "description": "Signing up, in and out." },
        { "name": "account", "description": "One's account and its API tokens." },
        { "name": "admin", "description": "Running the shop; each operation names the role that it needs." },
    ]);
    let problem = serde_json::to_value(ProblemDocument::schema()).unwrap_or_default();
    let mut more = Vec::new();
    ProblemDocument::schemas(&mut more);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.insert("Problem".to_owned(), problem);
        schemas.extend(
            more.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())),
        );
    }
    mend(&mut document["components"]["schemas"]);
    // Not derived for the variants of an enum, which refuse unknown fields like every shape that comes in.
    for variant in document["components"]["schemas"]["Rule"]["oneOf"].as_array_mut().into_iter().flatten() {
        variant["additionalProperties"] = Value::Bool(false);
    }
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths.iter_mut() {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
            }
        }
    }
    document
}

/// An inlined schema with a description is derived as "this and also an object", which nothing can be: made into
/// the one schema that it stands for.
fn mend(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(mend);
            let inlined = fields.get("allOf").and_then(Value::as_array).filter(|parts| {
                let words_only = |part: &Value| part["type"] == "object" && part.get("properties").is_none();
                parts.len() == 2 && parts[0]["type"] != "object" && words_only(&parts[1])
            });
            if let Some([Value::Object(kind), Value::Object(words)]) = inlined.map(Vec::as_slice) {
                let (mut whole, words) = (kind.clone(), words.clone());
                whole.extend(words.into_iter().filter(|(key, _)| key != "type"));
                *fields = whole;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mend),
        _ => {}
    }
}

/// What all operations of a kind have in common.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
    let has_body = operation.get("requestBody").is_some();
    let has_query =
        operation["parameters"].as_array().is_some_and(|all| all.iter().any(|p| p["in"] == "query"));
    let has_key = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|p| p["name"] == "Idempotency-Key"));
    let key_is_required = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|p| p["name"] == "Idempotency-Key" && p["required"] == true));
    let changes = method != "get";
    let signed_in = SIGNED_IN.contains(&tag.as_str());

    let mut kinds = vec![Kind::RateLimited, Kind::Internal, Kind::Unavailable, Kind::Unauthenticated];
    if has_body {
        kinds.extend([Kind::Malformed, Kind::TooSlow, Kind::TooLarge, Kind::UnsupportedType, Kind::Invalid]);
    }
    if has_query || has_key {
        kinds.push(Kind::Invalid);
    }
    if key_is_required {
        kinds.push(Kind::Malformed);
    }
    if changes || signed_in {
        kinds.push(Kind::Forbidden);
    }
    if path.contains('{') {
        kinds.push(Kind::NotFound);
    }
    let responses = &mut operation["responses"];
    for kind in kinds {
        let status = kind.status().as_str().to_owned();
        if responses.get(&status).is_none() {
            responses[status] = json!({ "description": format!("{}.", kind.title()) });
        }
    }
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        if status.starts_with('4') || status.starts_with('5') {
            response["content"] = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        }
        if status == "429" || status == "503" {
            response["headers"]["Retry-After"] =
                json!({ "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 } });
        }
        response["headers"]["X-Request-Id"] =
            json!({ "description": "The request's id, as in the log.", "schema": { "type": "string" } });
    }
    let session = if changes { json!({ "session": [], "csrf": [] }) } else { json!({ "session": [] }) };
    let mut security = vec![json!({ "bearer": [] }), session];
    if !signed_in {
        security.insert(0, Value::Object(Map::new()));
    }
    operation["security"] = security.into();
}
