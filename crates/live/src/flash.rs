//! Messages that the next page shows once.
//!
//! Invariant: a flash travels signed, so nobody can make this site say something by a link.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::token::{Keys, Purpose};

/// The cookie in which the client brings a flash over a full page load. The client sets it, so the name is its.
pub const COOKIE: &str = "__phoenix_flash__";
/// How long a flash may be on its way.
const MAX_AGE: Duration = Duration::from_mins(1);
/// The most messages at once; a further one takes the place of the oldest.
const MAX_MESSAGES: usize = 8;

/// Messages by kind, such as `info` and `error`, in the order in which they were put.
///
/// ```
/// let mut flash = live::Flash::default();
/// flash.put("info", "Saved.");
/// assert_eq!(flash.get("info"), Some("Saved."));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flash {
    messages: Vec<(String, String)>,
}

impl Flash {
    /// The message of a kind.
    pub fn get(&self, kind: &str) -> Option<&str> {
        self.messages.iter().find(|(known, _)| known == kind).map(|(_, message)| message.as_str())
    }

    /// Puts a message in place of one of the same kind.
    pub fn put(&mut self, kind: &str, message: impl Into<String>) {
        self.clear(Some(kind));
        if self.messages.len() >= MAX_MESSAGES {
            self.messages.remove(0);
        }
        self.messages.push((kind.to_owned(), message.into()));
    }

    /// Takes away the message of a kind, or all of them.
    pub fn clear(&mut self, kind: Option<&str>) {
        self.messages.retain(|(known, _)| kind.is_some_and(|kind| kind != known));
    }

    /// Kind and message of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.messages.iter().map(|(kind, message)| (kind.as_str(), message.as_str()))
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The signed form, for a `live_redirect` or [`COOKIE`]; `None` if there is nothing to say.
    pub fn sign(&self, keys: &Keys, now: u64) -> Option<String> {
        (!self.is_empty()).then(|| keys.sign(Purpose::Flash, b"", self, now))
    }

    /// Reads a signed flash; one that is forged or old says nothing.
    pub fn open(keys: &Keys, token: &str, now: u64) -> Self {
        keys.open(Purpose::Flash, b"", token, MAX_AGE, now).unwrap_or_default()
    }
}
