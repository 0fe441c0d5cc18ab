//! What a browser sends, as a tree: forms, queries, click values and hooks' payloads.
//!
//! Invariant: its size and depth are bounded before anything is built, and reading it into a type ([`Params::to`])
//! never panics. Text is tolerant: `"3"` is a number and `"on"` is true where the type asks for one.

mod de;
mod nested;

use serde::de::DeserializeOwned;
use thiserror::Error;

pub(crate) use de::EventDe;

/// The most fields a form or query may have.
pub const MAX_FIELDS: usize = 2_000;
/// How deep names such as `order[lines][0][qty]` and JSON payloads may nest.
pub const MAX_DEPTH: usize = 16;

/// Why parameters were refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParamsError {
    /// More than [`MAX_FIELDS`].
    #[error("more than {MAX_FIELDS} fields")]
    TooMany,
    /// Deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// One name is used as a text and as a group (`a=1&a[b]=2`).
    #[error("the field {0:?} is used both as a value and as a group")]
    Conflict(String),
    /// The JSON of a payload could not be read.
    #[error("not JSON: {0}")]
    Json(String),
    /// The parameters do not fit the type.
    #[error("{}: {reason}", if path.is_empty() { "parameters" } else { path })]
    Mismatch {
        /// Where, as in `lines[0][qty]`; empty at the top.
        path: String,
        /// What was expected and what came.
        reason: String,
    },
}

/// A tree of parameters. Groups keep the order in which their fields came.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Params {
    /// Absent, or JSON's null.
    #[default]
    Null,
    /// JSON's true and false.
    Bool(bool),
    /// A JSON number.
    Number(serde_json::Number),
    /// Everything that came from an attribute, a form or a query.
    Text(String),
    /// `tags[]=a&tags[]=b`, or a JSON array.
    List(Vec<Params>),
    /// `order[qty]=1`, or a JSON object.
    Group(Vec<(String, Params)>),
}

impl Params {
    /// An empty group.
    pub fn empty() -> Self {
        Self::Group(Vec::new())
    }

    /// Reads an urlencoded form or query with nested names; see [`Params::get`] for what they become.
    ///
    /// ```
    /// use live::Params;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize, PartialEq, Debug)]
    /// struct Order { note: Option<String>, gift: bool, lines: Vec<Line> }
    /// #[derive(Deserialize, PartialEq, Debug)]
    /// struct Line { code: String, qty: u32 }
    ///
    /// let sent = "order[note]=&order[gift]=false&order[gift]=on&order[lines][0][code]=A1&order[lines][0][qty]=3";
    /// let order: Order = Params::from_form(sent)?.at("order").to()?;
    /// let line = Line { code: "A1".into(), qty: 3 };
    /// assert_eq!(order, Order { note: None, gift: true, lines: vec![line] });
    /// # Ok::<_, live::ParamsError>(())
    /// ```
    pub fn from_form(encoded: &str) -> Result<Self, ParamsError> {
        nested::parse(encoded)
    }

    /// Reads JSON, at most [`MAX_DEPTH`] deep.
    pub fn from_json(json: &str) -> Result<Self, ParamsError> {
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|error| ParamsError::Json(error.to_string()))?;
        Self::from_value(value, 0)
    }

    fn from_value(value: serde_json::Value, depth: usize) -> Result<Self, ParamsError> {
        use serde_json::Value;
        if depth > MAX_DEPTH {
            return Err(ParamsError::TooDeep);
        }
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(b),
            Value::Number(n) => Self::Number(n),
            Value::String(s) => Self::Text(s),
            Value::Array(items) => Self::List(
                items.into_iter().map(|item| Self::from_value(item, depth + 1)).collect::<Result<_, _>>()?,
            ),
            Value::Object(fields) => Self::Group(
                fields
                    .into_iter()
                    .map(|(name, value)| Ok((name, Self::from_value(value, depth + 1)?)))
                    .collect::<Result<_, ParamsError>>()?,
            ),
        })
    }

    /// The field of a group, or the item of a list by its number.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Group(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Self::List(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// [`get`](Self::get) that answers [`Params::Null`] for what is absent.
    pub fn at(&self, name: &str) -> &Self {
        self.get(name).unwrap_or(&Self::Null)
    }

    /// The value at a name as a form spells it: `order[lines][0][qty]`.
    pub fn at_name(&self, name: &str) -> &Self {
        segments(name).fold(self, |params, segment| params.at(segment))
    }

    /// The text of a field, empty for a group.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// Reads the tree into a type. Fields that the type does not name are ignored; a blank text is `None` for an
    /// `Option`; the groups of `lines[0]`, `lines[1]` are a list in the order of their numbers.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, ParamsError> {
        de::read(self)
    }

    /// Puts a field into a group, in place of one of the same name.
    pub(crate) fn put(&mut self, name: &str, value: Self) {
        if !matches!(self, Self::Group(_)) {
            *self = Self::empty();
        }
        if let Self::Group(fields) = self {
            match fields.iter_mut().find(|(key, _)| key == name) {
                Some((_, old)) => *old = value,
                None => fields.push((name.to_owned(), value)),
            }
        }
    }
}

/// The parts of a form's name: `order[lines][0]` is `order`, `lines`, `0`.
pub(crate) fn segments(name: &str) -> impl Iterator<Item = &str> {
    let (head, rest) = name.find('[').map_or((name, ""), |at| name.split_at(at));
    std::iter::once(head).chain(
        rest.split('[').skip(1).map(|part| part.strip_suffix(']').unwrap_or(part)).filter(|p| !p.is_empty()),
    )
}
