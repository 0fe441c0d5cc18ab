//! Metas and their changes, as the client reads them.
//!
//! Invariant: a meta is an encoded JSON object whose `phx_ref` is its own, over all processes and restarts.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use serde::Serialize;
use thiserror::Error;

/// What is known of one tracked server. Cloning shares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    reference: Arc<str>,
    json: Arc<str>,
}

/// A meta must have a place for its ref.
#[derive(Debug, Error)]
pub enum NotAnObject {
    /// Its `Serialize` failed.
    #[error("the meta can't be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
    /// A number, a list, …
    #[error("the meta is no JSON object: presence needs a place for its ref")]
    Other,
}

impl Meta {
    /// Encodes a meta under a new ref.
    pub(crate) fn new<V: Serialize + ?Sized>(value: &V, previous: Option<&str>) -> Result<Self, NotAnObject> {
        let text = serde_json::to_string(value)?;
        let inner =
            text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or(NotAnObject::Other)?;
        let reference = next_reference();
        let mut json = format!("{{{inner}");
        // Behind the application's own fields: of two that have one name, JSON readers take the last.
        let comma = if inner.is_empty() { "" } else { "," };
        // Writing to a string can't fail.
        let _ = write!(json, "{comma}\"phx_ref\":\"{reference}\"");
        if let Some(previous) = previous {
            let _ = write!(json, ",\"phx_ref_prev\":\"{previous}\"");
        }
        json.push('}');
        Ok(Self { reference: reference.into(), json: json.into() })
    }

    /// A meta of another node, as it was encoded there.
    pub fn from_parts(reference: impl Into<Arc<str>>, json: impl Into<Arc<str>>) -> Self {
        Self { reference: reference.into(), json: json.into() }
    }

    /// Its `phx_ref`.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The whole object.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// Random once a process, counted inside it.
fn next_reference() -> String {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("presence"));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}{:x}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// One key and its metas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Whom the application tracks: a user's id, say.
    pub key: String,
    /// One for each tracked server, the oldest first.
    pub metas: Vec<Meta>,
}

/// One change of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Metas that came.
    pub joins: Vec<Present>,
    /// Metas that went.
    pub leaves: Vec<Present>,
}

impl Diff {
    /// One meta came.
    pub fn joined(key: &str, meta: Meta) -> Self {
        Self { joins: vec![Present { key: key.to_owned(), metas: vec![meta] }], leaves: Vec::new() }
    }

    /// One meta went.
    pub fn left(key: &str, meta: Meta) -> Self {
        Self { leaves: vec![Present { key: key.to_owned(), metas: vec![meta] }], joins: Vec::new() }
    }

    pub(crate) fn to_json(&self) -> String {
        format!("{{\"joins\":{},\"leaves\":{}}}", state(&self.joins), state(&self.leaves))
    }
}

/// `{key: {metas: […]}}`. Each key at most once.
pub(crate) fn state(present: &[Present]) -> String {
    let mut json = String::from("{");
    for (at, Present { key, metas }) in present.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        json.push_str(&serde_json::Value::from(key.as_str()).to_string());
        json.push_str(":{\"metas\":[");
        for (at, meta) in metas.iter().enumerate() {
            if at > 0 {
                json.push(',');
            }
            json.push_str(&meta.json);
        }
        json.push_str("]}");
    }
    json.push('}');
    json
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_meta_is_an_object_with_a_ref_of_its_own_whatever_the_application_says() {
        let (one, two) =
            (Meta::new(&json!({}), None).unwrap(), Meta::new(&json!({"a": 1}), Some("7")).unwrap());
        assert_ne!(one.reference(), two.reference());
        let read: Value = serde_json::from_str(two.json()).unwrap();
        assert_eq!(read, json!({ "a": 1, "phx_ref": two.reference(), "phx_ref_prev": "7" }));
        let forged = Meta::new(&json!({ "phx_ref": "mine" }), None).unwrap();
        let read: Value = serde_json::from_str(forged.json()).unwrap();
        assert_eq!(read, json!({ "phx_ref": forged.reference() }));
        for other in [json!([]), json!("{}"), json!(1), json!(null)] {
            assert!(matches!(Meta::new(&other, None), Err(NotAnObject::Other)), "{other}");
        }
    }

    #[test]
    fn keys_are_escaped() {
        let meta = Meta::from_parts("1", "{}");
        let diff = Diff::joined("a\"b\\", meta);
        let read: Value = serde_json::from_str(&diff.to_json()).unwrap();
        assert_eq!(read, json!({ "joins": { "a\"b\\": { "metas": [{}] } }, "leaves": {} }));
    }
}
