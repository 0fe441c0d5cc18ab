//! Checked input: from what a client sent to values that a context takes, or every field's error at once.
//!
//! **Invariant.** A [`Valid`] value passed all of its checks; what only the database can tell (a name that is taken)
//! comes back as an error of the same kind, on the same field, from both databases.

mod cast;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

pub use cast::Cast;

use crate::DbError;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The field, as the client named it.
    pub field: String,
    /// For programs: `required`, `type`, `length`, `range`, `format`, `unknown`, or what the context says.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The database's constraint that refused the value, where it was the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
}

/// Everything that is wrong with an input; never empty.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
pub struct FieldErrors(pub Vec<FieldError>);

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", error.field, error.message)?;
        }
        Ok(())
    }
}

impl FieldErrors {
    /// A single error.
    pub fn one(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self(vec![FieldError { field: field.to_owned(), code, message: message.into(), constraint: None }])
    }
}

/// An input that passed its checks, with what to say if the database refuses it all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valid<T> {
    /// The values.
    pub value: T,
    constraints: Vec<Promise>,
}

impl<T> Valid<T> {
    /// Turns the violation of a promised constraint into its field's error; any other error comes back.
    pub fn refused(&self, error: DbError) -> Result<FieldErrors, DbError> {
        let missing = match &error {
            DbError::NotNull { column, .. } => {
                Some(FieldErrors::one(column, "required", "must have a value"))
            }
            _ => None,
        };
        let promised = self.constraints.iter().find(|promise| error.violates(promise.constraint));
        let by_promise = promised.map(|promise| {
            let mut errors = FieldErrors::one(promise.field, promise.code, promise.message);
            errors.0[0].constraint = Some(promise.constraint.to_owned());
            errors
        });
        by_promise.or(missing).ok_or(error)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Promise {
    constraint: &'static str,
    field: &'static str,
    code: &'static str,
    message: &'static str,
}

/// Collects the values and the errors of one input.
///
/// ```
/// use pulse_data::Changeset;
/// use serde_json::json;
///
/// let mut input = Changeset::new(json!({"name": "", "stock": "12", "color": "red"}));
/// let name = input.required::<String>("name");
/// input.length("name", name.as_deref(), 1..=80);
/// let stock = input.optional::<i64>("stock").unwrap_or(0);
/// input.range("stock", Some(stock), 0..=1_000_000);
/// input.constraint("uq_products_name", "name", "taken", "another product has this name");
/// let errors = input.finish((name, stock)).unwrap_err();
/// let codes: Vec<_> = errors.0.iter().map(|e| (e.field.as_str(), e.code)).collect();
/// assert_eq!(codes, [("name", "length"), ("color", "unknown")]);
/// ```
#[derive(Debug)]
pub struct Changeset {
    input: Map<String, Value>,
    seen: Vec<&'static str>,
    errors: Vec<FieldError>,
    constraints: Vec<Promise>,
}

impl Changeset {
    /// Of a JSON object. Anything else is an error of the field `""`.
    pub fn new(input: Value) -> Self {
        let mut changeset =
            Self { input: Map::new(), seen: Vec::new(), errors: Vec::new(), constraints: Vec::new() };
        match input {
            Value::Object(fields) => changeset.input = fields,
            _ => changeset.error("", "type", "must be an object"),
        }
        changeset
    }

    /// Notes an error.
    pub fn error(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: field.to_owned(),
            code,
            message: message.into(),
            constraint: None,
        });
    }

    /// Whether the field is there at all; `null` is.
    pub fn has(&self, field: &str) -> bool {
        self.input.contains_key(field)
    }

    /// The value of a field that may be absent or `null`.
    pub fn optional<T: Cast>(&mut self, field: &'static str) -> Option<T> {
        self.seen.push(field);
        let value = self.input.get(field).filter(|value| !value.is_null())?;
        let cast = T::cast(value);
        if cast.is_none() {
            self.error(field, "type", format!("must be {}", T::KIND));
        }
        cast
    }

    /// The value of a field that must be there.
    pub fn required<T: Cast>(&mut self, field: &'static str) -> Option<T> {
        if self.input.get(field).is_none_or(Value::is_null) {
            self.seen.push(field);
            self.error(field, "required", "must have a value");
            return None;
        }
        self.optional(field)
    }

    /// Turns a text into a type of the domain; what it says is the field's error.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&mut self, field: &str, text: Option<&str>) -> Option<T> {
        match text?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.error(field, "format", error.to_string());
                None
            }
        }
    }

    /// Notes an error unless `holds`.
    pub fn check(&mut self, field: &str, holds: bool, code: &'static str, message: &str) {
        if !holds {
            self.error(field, code, message);
        }
    }

    /// The text, where there is one, must have so many characters.
    pub fn length(&mut self, field: &str, text: Option<&str>, allowed: RangeInclusive<usize>) {
        if text.is_some_and(|text| !allowed.contains(&text.chars().count())) {
            let (least, most) = allowed.into_inner();
            self.error(field, "length", format!("must have {least} to {most} characters"));
        }
    }

    /// The value, where there is one, must lie within.
    pub fn range<N: PartialOrd + fmt::Display>(
        &mut self,
        field: &str,
        value: Option<N>,
        allowed: RangeInclusive<N>,
    ) {
        if value.is_some_and(|value| !allowed.contains(&value)) {
            let (least, most) = allowed.into_inner();
            self.error(field, "range", format!("must be between {least} and {most}"));
        }
    }

    /// Promises what to say on a field if the database refuses the row for that constraint.
    pub fn constraint(
        &mut self,
        constraint: &'static str,
        field: &'static str,
        code: &'static str,
        message: &'static str,
    ) {
        self.constraints.push(Promise { constraint, field, code, message });
    }

    /// The value, if nothing is wrong. Fields that nobody asked for are errors: a misspelt name must not be lost.
    pub fn finish<T>(mut self, value: T) -> Result<Valid<T>, FieldErrors> {
        let unknown: Vec<String> =
            self.input.keys().filter(|key| !self.seen.contains(&key.as_str())).cloned().collect();
        for field in unknown {
            self.error(&field, "unknown", "there is no such field");
        }
        if self.errors.is_empty() {
            Ok(Valid { value, constraints: self.constraints })
        } else {
            Err(FieldErrors(self.errors))
        }
    }
}
