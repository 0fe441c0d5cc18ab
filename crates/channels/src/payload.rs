//! What a channel sends: JSON that is already text, or bytes.
//!
//! Invariant: a payload is encoded before it is sent, and never again.

use bytes::Bytes;
use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// An encoded payload of a push, reply or broadcast. Cloning shares the bytes.
///
/// ```
/// use channels::{Payload, RawPayload};
/// #[derive(serde::Serialize)]
/// struct Price { cents: u64 }
/// let priced = Payload::json(&Price { cents: 250 })?;
/// let same = Payload::from(RawPayload::from(r#"{"cents":250}"#.to_owned()));
/// assert_eq!(priced, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// JSON text.
    Json(RawPayload),
    /// Bytes of the application; sent as a binary frame.
    Binary(Bytes),
}

impl Payload {
    /// Encodes a value. Fails if the value's own `Serialize` does, or if a map's keys are no strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(|text| Self::Json(text.into()))
    }

    /// The payload `{}`.
    pub fn empty() -> Self {
        Self::Json(RawPayload::new("{}"))
    }

    /// The payload `{"reason": …}`, as refusals carry it.
    pub fn reason(reason: &str) -> Self {
        Self::from(serde_json::json!({ "reason": reason }))
    }

    /// Bytes of the application.
    pub fn binary(data: impl Into<Bytes>) -> Self {
        Self::Binary(data.into())
    }
}

impl From<RawPayload> for Payload {
    fn from(raw: RawPayload) -> Self {
        Self::Json(raw)
    }
}

impl From<serde_json::Value> for Payload {
    fn from(value: serde_json::Value) -> Self {
        Self::Json(value.to_string().into())
    }
}

/// JSON that somebody else has encoded. That it is well formed is the maker's promise: a client that is sent
/// anything else can't read the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPayload(Utf8Bytes);

impl RawPayload {
    /// A constant.
    pub fn new(json: &'static str) -> Self {
        Self(Utf8Bytes::from_static(json))
    }

    /// A buffer that was written as bytes. Fails if it is not UTF-8. O(length), copies nothing.
    pub fn from_utf8(json: Bytes) -> Result<Self, std::str::Utf8Error> {
        Utf8Bytes::try_from(json).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<String> for RawPayload {
    fn from(json: String) -> Self {
        Self(json.into())
    }
}
