//! Divides a body into records.
//!
//! **Invariant.** Either every record is JSON, or the body is refused with the first line or place that is not.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::answer::Refused;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A JSON value a line.
    Lines,
    /// One array of records, or one record.
    Json,
}

pub(super) fn form(headers: &HeaderMap) -> Result<Form, Refused> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Ok(Form::Lines),
        "application/json" => Ok(Form::Json),
        _ => Err(Refused::MediaType),
    }
}

/// The records as texts; at most `most`, at least one.
pub(super) fn split(form: Form, body: &[u8], most: usize) -> Result<Vec<String>, Refused> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let line = body[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Refused::Malformed { line, reason: "not UTF-8".to_owned() }
    })?;
    let records = match form {
        Form::Lines => lines(text, most)?,
        Form::Json => array(text)?,
    };
    match records.len() {
        0 => Err(Refused::Malformed { line: 1, reason: "there is no record".to_owned() }),
        count if count > most => Err(Refused::TooMany { limit: most }),
        _ => Ok(records),
    }
}

fn lines(text: &str, most: usize) -> Result<Vec<String>, Refused> {
    let mut records = Vec::new();
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        if records.len() == most {
            return Err(Refused::TooMany { limit: most });
        }
        serde_json::from_str::<IgnoredAny>(line)
            .map_err(|error| Refused::Malformed { line: place + 1, reason: error.to_string() })?;
        records.push(line.trim().to_owned());
    }
    Ok(records)
}

fn array(text: &str) -> Result<Vec<String>, Refused> {
    let malformed =
        |error: serde_json::Error| Refused::Malformed { line: error.line(), reason: error.to_string() };
    if text.trim_start().starts_with('[') {
        let records: Vec<&RawValue> = serde_json::from_str(text).map_err(malformed)?;
        return Ok(records.into_iter().map(|record| record.get().to_owned()).collect());
    }
    let record: &RawValue = serde_json::from_str(text).map_err(malformed)?;
    Ok(vec![record.get().to_owned()])
}
