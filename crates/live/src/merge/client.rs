//! A client's page: the tree that it merges messages into.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::markup::Markup;
use super::rules;
use super::streams::Streams;
use crate::tree::Cid;

/// What a client holds of one page.
///
/// ```
/// use live::merge::Client;
///
/// let mut client = Client::join(r#"{"0":"1","s":["<p>","</p>"]}"#)?;
/// client.merge(r#"{"0":"2"}"#)?;
/// assert_eq!(client.html(), "<p>2</p>");
/// # Ok::<(), live::merge::MergeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    root: Value,
    /// Each component's tree, by its number.
    components: BTreeMap<u64, Value>,
    /// What the page shows of streams: the tree forgets their entries once they are shown.
    streams: Streams,
    html: String,
}

/// Why a message cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeError {
    /// It is not a JSON object.
    NotAnObject(String),
    /// It names something that the client does not hold, or holds in another shape.
    Missing(String),
}

impl std::fmt::Display for MergeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAnObject(text) => write!(f, "the message is not a JSON object: {text}"),
            Self::Missing(what) => write!(f, "the message does not fit what the client holds: {what}"),
        }
    }
}

impl std::error::Error for MergeError {}

impl Client {
    /// A client that was sent this first render.
    pub fn join(rendered: &str) -> Result<Self, MergeError> {
        let root = Value::Object(Map::new());
        let mut client =
            Self { root, components: BTreeMap::new(), streams: Streams::default(), html: String::new() };
        client.merge(rendered)?;
        Ok(client)
    }

    /// Merges a message. Its title, events and reply are the caller's: they are passed over.
    pub fn merge(&mut self, diff: &str) -> Result<(), MergeError> {
        let Ok(Value::Object(mut diff)) = serde_json::from_str(diff) else {
            return Err(MergeError::NotAnObject(diff.to_owned()));
        };
        for beside in ["t", "e", "r"] {
            diff.remove(beside);
        }
        let components = diff.remove("c");
        let components_alone = components.is_some() && diff.is_empty();
        rules::merge(&mut self.root, Value::Object(diff))?;
        if let Some(Value::Object(components)) = components {
            let components = components.into_iter().map(|(cid, tree)| (cid.parse().unwrap_or(0), tree));
            rules::merge_components(&mut self.components, &components.collect())?;
        }
        rules::resolve_templates(&mut self.root, None)?;
        for tree in self.components.values_mut() {
            rules::resolve_templates(tree, None)?;
        }
        let mut markup = Markup::new(&mut self.components, &mut self.streams);
        if components_alone {
            markup.components_of_streams()?;
        }
        self.html = markup.page(&mut self.root)?;
        Ok(())
    }

    /// The page as it stands, streams included. A component's element carries `data-phx-component`.
    pub fn html(&self) -> &str {
        &self.html
    }

    /// The client has destroyed these components.
    pub fn forget(&mut self, cids: &[Cid]) {
        for cid in cids {
            self.components.remove(&u64::from(cid.get()));
        }
    }
}
