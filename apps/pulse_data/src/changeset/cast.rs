//! From a JSON value to a Rust one, as forms and programs write it.
//!
//! **Invariant.** A cast never rounds, truncates or guesses: what does not fit is refused.

use serde_json::Value;

/// A type that an input's field can have.
pub trait Cast: Sized {
    /// What the field must be, for people.
    const KIND: &'static str;

    /// The value, if it is one of these.
    fn cast(value: &Value) -> Option<Self>;
}

impl Cast for String {
    const KIND: &'static str = "a text";

    fn cast(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Cast for i64 {
    const KIND: &'static str = "a whole number";

    /// Forms send numbers as texts.
    fn cast(value: &Value) -> Option<Self> {
        value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
    }
}

impl Cast for u32 {
    const KIND: &'static str = "a whole number, not negative";

    fn cast(value: &Value) -> Option<Self> {
        i64::cast(value).and_then(|number| number.try_into().ok())
    }
}

impl Cast for bool {
    const KIND: &'static str = "true or false";

    fn cast(value: &Value) -> Option<Self> {
        value.as_bool().or_else(|| match value.as_str()? {
            "true" | "on" => Some(true),
            "false" | "off" => Some(false),
            _ => None,
        })
    }
}

impl Cast for Value {
    const KIND: &'static str = "a value";

    fn cast(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: Cast> Cast for Vec<T> {
    const KIND: &'static str = "a list";

    fn cast(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::cast).collect()
    }
}
