//! Checked input: from what a client sent to typed values, or everything that is wrong with it.
//!
//! **Invariant.** [`Changeset::finish`] answers values only if no check failed, and otherwise every failed check, in the
//! order of the checks: a person mends a form once, not once a field.

use std::fmt;
use std::ops::RangeInclusive;

use serde_json::Value;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where it is, such as `lines[2].quantity`.
    pub field: String,
    /// For programs: `required`, `type`, `length`, `range`, `twice`, `taken`, `unknown`.
    pub code: &'static str,
    /// For people: goes behind the field's name.
    pub message: String,
}

/// Everything that is wrong with an input; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FieldErrors(pub Vec<FieldError>);

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", error.field, error.message)?;
        }
        Ok(())
    }
}

/// One input under check. Each check answers the value, or notes what is wrong and answers `None`.
#[derive(Debug)]
pub struct Changeset<'a> {
    sent: &'a Value,
    path: String,
    errors: Vec<FieldError>,
}

impl<'a> Changeset<'a> {
    /// Begins with what was sent.
    pub fn new(sent: &'a Value) -> Self {
        Self { sent, path: String::new(), errors: Vec::new() }
    }

    /// A text of so many characters, white space around it cut off.
    pub fn text(&mut self, field: &str, length: RangeInclusive<usize>) -> Option<String> {
        let text = match self.required(field)? {
            Value::String(text) => text.trim(),
            _ => return self.fail(field, "type", "must be a text"),
        };
        let characters = text.chars().count();
        if length.contains(&characters) {
            return Some(text.to_owned());
        }
        let message = format!("must have {} to {} characters", length.start(), length.end());
        self.fail(field, "length", message)
    }

    /// A whole number within bounds.
    pub fn integer(&mut self, field: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let Some(number) = self.required(field)?.as_i64() else {
            return self.fail(field, "type", "must be a whole number");
        };
        if range.contains(&number) {
            return Some(number);
        }
        self.fail(field, "range", format!("must be from {} to {}", range.start(), range.end()))
    }

    /// A list of so many items, each checked by `item`. `None` if any item is wrong.
    pub fn list<T>(
        &mut self,
        field: &str,
        length: RangeInclusive<usize>,
        mut item: impl FnMut(&mut Changeset<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::Array(sent) = self.required(field)? else {
            return self.fail(field, "type", "must be a list");
        };
        if !length.contains(&sent.len()) {
            let message = format!("must have {} to {} entries", length.start(), length.end());
            return self.fail(field, "length", message);
        }
        //>> items
        //? What does a person want to hear who sent five lines, the second and the fourth of which are wrong?
        let mut items = Vec::with_capacity(sent.len());
        for (n, sent) in sent.iter().enumerate() {
            let path = format!("{}[{n}].", self.at(field));
            let mut inner = Changeset { sent, path, errors: Vec::new() };
            items.push(item(&mut inner));
            self.errors.append(&mut inner.errors);
        }
        items.into_iter().collect()
        //<<
    }

    /// Notes what a rule over several fields found.
    pub fn refuse(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        let field = self.at(field);
        self.errors.push(FieldError { field, code, message: message.into() });
    }

    /// The values, if no check failed.
    pub fn finish<T>(self, values: impl FnOnce() -> Option<T>) -> Result<T, FieldErrors> {
        match values() {
            Some(values) if self.errors.is_empty() => Ok(values),
            _ => Err(FieldErrors(self.errors)),
        }
    }

    fn required(&mut self, field: &str) -> Option<&'a Value> {
        match self.sent.get(field) {
            None | Some(Value::Null) => self.fail(field, "required", "is missing"),
            found => found,
        }
    }

    fn fail<T>(&mut self, field: &str, code: &'static str, message: impl Into<String>) -> Option<T> {
        self.refuse(field, code, message);
        None
    }

    fn at(&self, field: &str) -> String {
        format!("{}{field}", self.path)
    }
}
