//! A form's state between the browser and the domain: what was typed, what is wrong with it, what to show.
//!
//! Invariant: what was typed is never lost by a refusal, and a field shows its errors only once somebody has been
//! in it or has tried to submit.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::params::{Params, ParamsError, segments};

/// What is wrong, by field name as the form spells it (`qty`, `lines[0][qty]`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors {
    by_field: BTreeMap<String, Vec<Cow<'static, str>>>,
}

impl FieldErrors {
    /// Adds what is wrong with a field.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<Cow<'static, str>>) {
        self.by_field.entry(field.into()).or_default().push(message.into());
    }

    /// What is wrong with a field.
    pub fn of(&self, field: &str) -> &[Cow<'static, str>] {
        self.by_field.get(field).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.by_field.is_empty()
    }

    /// The names of the fields with errors, in alphabetical order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.by_field.keys().map(String::as_str)
    }
}

impl From<ParamsError> for FieldErrors {
    fn from(error: ParamsError) -> Self {
        let mut errors = Self::default();
        match error {
            ParamsError::Mismatch { path, reason } => errors.add(path, reason),
            other => errors.add("", other.to_string()),
        }
        errors
    }
}

/// A form named `name`, whose fields are called `name[field]`.
///
/// ```
/// use live::{ClientEvent, Form};
///
/// let typed = ClientEvent::parse(
///     r#"{"type":"form","event":"check","value":"order[qty]=x&order[_unused_note]=&order[note]=","meta":{"_target":"order[qty]"}}"#,
/// )?;
/// let mut form = Form::new("order").typed(&typed.value);
/// form.errors.add("qty", "is no number");
/// form.errors.add("note", "is missing");
///
/// let qty = form.field("qty");
/// assert_eq!((qty.name.as_str(), qty.id.as_str(), qty.value.as_ref()), ("order[qty]", "order_qty", "x"));
/// assert_eq!(qty.errors, ["is no number"]);
/// assert!(form.field("note").errors.is_empty(), "nobody has been there yet");
/// # Ok::<_, live::EventError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Form {
    name: Cow<'static, str>,
    /// What the fields hold: the form's own group, without its name.
    values: Params,
    /// What is wrong, to be shown beside the fields.
    pub errors: FieldErrors,
    /// How often it was submitted.
    sent: u32,
}

/// What an input of a form needs.
#[derive(Clone, Debug)]
pub struct Field<'f> {
    /// The input's `id`, for its label.
    pub id: String,
    /// The input's `name`.
    pub name: String,
    /// What it holds.
    pub value: Cow<'f, str>,
    /// What to show as wrong now.
    pub errors: &'f [Cow<'static, str>],
    /// How often its form was submitted. An input or textarea shows it as an attribute of its own (`data-sent`).
    ///
    /// The official client (1.2.12) loses the answer to a change that arrives when its field waits for a submit and its form
    /// for another change, and later answers leave the field out, as for the server it has not changed. With this in its
    /// markup the submit's own answer carries the field again.
    pub sent: u32,
}

impl Form {
    /// An empty form.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), values: Params::empty(), errors: FieldErrors::default(), sent: 0 }
    }

    /// Sets what a field holds at first.
    pub fn with(mut self, field: &str, value: impl Into<String>) -> Self {
        self.values.put(field, Params::Text(value.into()));
        self
    }

    /// The form after a `phx-change`: `params` is the event's whole value. Errors are for the caller to find.
    pub fn typed(mut self, params: &Params) -> Self {
        self.values = params.at(&self.name).clone();
        self.errors = FieldErrors::default();
        self
    }

    /// The form after a `phx-submit`: from now on every error is shown.
    pub fn submitted(mut self, params: &Params) -> Self {
        self = self.typed(params);
        self.sent = self.sent.saturating_add(1);
        self
    }

    /// Reads the fields into a type. What does not fit becomes a field's error, and the answer is `None`.
    pub fn read<T: DeserializeOwned>(&mut self) -> Option<T> {
        match self.values.to() {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors = error.into();
                None
            }
        }
    }

    /// The form's fields as they were typed.
    pub fn values(&self) -> &Params {
        &self.values
    }

    /// What the input of a field needs; `field` may be nested: `lines[0][qty]`.
    pub fn field(&self, field: &str) -> Field<'_> {
        let parts: Vec<&str> = segments(field).collect();
        let mut name = self.name.to_string();
        let mut id = name.clone();
        for part in &parts {
            name.push('[');
            name.push_str(part);
            name.push(']');
            id.push('_');
            id.push_str(part);
        }
        let value = match self.values.at_name(field) {
            Params::Number(n) => Cow::Owned(n.to_string()),
            Params::Bool(b) => Cow::Borrowed(if *b { "true" } else { "false" }),
            other => Cow::Borrowed(other.text()),
        };
        let errors = if self.sent > 0 || self.is_used(&parts) { self.errors.of(field) } else { &[] };
        Field { id, name, value, errors, sent: self.sent }
    }

    /// Whether somebody has been in the field: it was sent, and the client did not mark it as unused.
    fn is_used(&self, parts: &[&str]) -> bool {
        let Some((last, groups)) = parts.split_last() else { return false };
        let group = groups.iter().fold(&self.values, |params, part| params.at(part));
        group.get(last).is_some() && group.get(&format!("_unused_{last}")).is_none()
    }
}
