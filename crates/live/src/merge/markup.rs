//! The page that a client's tree gives.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::MergeError;
use super::rules::count;
use super::streams::{Item, Streams};
use crate::tree::mark;

/// Where the markup of a stream is kept in its list once its entries are shown.
const SHOWN: &str = "shown";

/// One pass over the page.
pub(super) struct Markup<'a> {
    components: &'a mut BTreeMap<u64, Value>,
    streams: &'a mut Streams,
}

impl<'a> Markup<'a> {
    pub(super) fn new(components: &'a mut BTreeMap<u64, Value>, streams: &'a mut Streams) -> Self {
        Self { components, streams }
    }

    /// The page's markup. The streams' new entries are shown and then forgotten in the tree.
    pub(super) fn page(&mut self, root: &mut Value) -> Result<String, MergeError> {
        self.streams.begin();
        let mut out = String::new();
        self.value(root, &mut out)?;
        self.streams.end();
        Ok(out)
    }

    /// Shows the components within the entries of streams as they are now: what a message of components alone does.
    pub(super) fn components_of_streams(&mut self) -> Result<(), MergeError> {
        let mut streams = std::mem::take(self.streams);
        for item in streams.items() {
            let mut html = String::new();
            self.value(&mut item.tree, &mut html)?;
            item.html = html;
        }
        *self.streams = streams;
        Ok(())
    }

    fn value(&mut self, value: &mut Value, out: &mut String) -> Result<(), MergeError> {
        match value {
            Value::String(text) => out.push_str(text),
            Value::Number(cid) => {
                let cid = cid.as_u64().unwrap_or(0);
                let mut tree = self.components.get(&cid).cloned();
                let tree = tree.as_mut().ok_or_else(|| missing(format!("component {cid}")))?;
                let start = out.len();
                self.value(tree, out)?;
                mark(cid, start, out);
                self.components.insert(cid, tree.take());
            }
            Value::Object(members) if members.contains_key("k") => self.list(members, out)?,
            Value::Object(members) => {
                let statics =
                    members.get("s").cloned().ok_or_else(|| missing(format!("strings of {members:?}")))?;
                self.gaps(&statics, members, out)?;
            }
            other => return Err(missing(format!("a value that can be shown: {other}"))),
        }
        Ok(())
    }

    fn gaps(
        &mut self,
        statics: &Value,
        values: &mut Map<String, Value>,
        out: &mut String,
    ) -> Result<(), MergeError> {
        let statics = statics.as_array().ok_or_else(|| missing(format!("an array of strings: {statics}")))?;
        for (at, text) in statics.iter().enumerate() {
            out.push_str(text.as_str().ok_or_else(|| missing(format!("a string: {text}")))?);
            if at + 1 < statics.len() {
                let value = values.get_mut(&at.to_string());
                self.value(value.ok_or_else(|| missing(format!("value {at} between {statics:?}")))?, out)?;
            }
        }
        Ok(())
    }

    fn list(&mut self, members: &mut Map<String, Value>, out: &mut String) -> Result<(), MergeError> {
        let statics = members.get("s").cloned().ok_or_else(|| missing("the strings of a list".to_owned()))?;
        let stream = members.remove("stream");
        let Some(Value::Object(entries)) = members.get_mut("k") else {
            return Err(missing("the entries of a list".to_owned()));
        };
        let mut shown = Vec::new();
        for place in 0..count(entries)? {
            let Some(Value::Object(entry)) = entries.get_mut(&place.to_string()) else {
                return Err(missing(format!("entry {place} of a list")));
            };
            let mut html = String::new();
            self.gaps(&statics, entry, &mut html)?;
            let mut tree = entry.clone();
            tree.insert("s".to_owned(), statics.clone());
            shown.push(Item { html, tree: tree.into() });
        }
        if let Some(stream) = stream {
            entries.clear();
            entries.insert("kc".to_owned(), 0.into());
            let name = self.streams.apply(&stream, shown)?;
            members.insert(SHOWN.to_owned(), name.into());
        } else if !members.contains_key(SHOWN) {
            out.extend(shown.into_iter().map(|item| item.html));
        }
        if let Some(name) = members.get(SHOWN).and_then(Value::as_str) {
            self.streams.show(name, out);
        }
        Ok(())
    }
}

fn missing(what: String) -> MergeError {
    MergeError::Missing(what)
}
