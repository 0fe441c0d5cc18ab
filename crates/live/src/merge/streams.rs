//! What a page shows of streams.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::MergeError;

/// One entry on the page.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) html: String,
    /// Its tree, for the components within it: their elements change by messages of components alone.
    pub(super) tree: Value,
}

/// The entries on the page, by the stream's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams {
    entries: BTreeMap<String, Vec<(String, Item)>>,
    /// The streams that this pass over the page came by: the others' elements are gone, and their entries.
    seen: BTreeSet<String>,
}

impl Streams {
    pub(super) fn begin(&mut self) {
        self.seen.clear();
    }

    pub(super) fn end(&mut self) {
        let seen = &self.seen;
        self.entries.retain(|name, _| seen.contains(name));
    }

    /// Obeys `[name, [[id, at, limit, update_only], …], [id, …], reset?]`; answers the name.
    pub(super) fn apply(&mut self, orders: &Value, items: Vec<Item>) -> Result<String, MergeError> {
        let wrong = || MergeError::Missing(format!("a stream's name, inserts and deletes: {orders}"));
        let parts = orders.as_array().ok_or_else(wrong)?;
        let [name, inserts, deletes, reset @ ..] = parts.as_slice() else { return Err(wrong()) };
        let name = name.as_str().ok_or_else(wrong)?;
        let inserts = inserts.as_array().ok_or_else(wrong)?;
        let deletes = deletes.as_array().ok_or_else(wrong)?;
        if inserts.len() != items.len() {
            return Err(wrong());
        }
        let entries = self.entries.entry(name.to_owned()).or_default();
        // What is taken away and inserted again in one message is kept: also if it is only to be changed.
        let before: Vec<String> = entries.iter().map(|(id, _)| id.clone()).collect();
        // The mere presence of a fourth element resets.
        if !reset.is_empty() {
            entries.clear();
        }
        entries.retain(|(id, _)| !deletes.iter().any(|gone| gone == id));
        for (insert, item) in inserts.iter().zip(items) {
            let Some([id, at, limit, update_only]) = insert.as_array().map(Vec::as_slice) else {
                return Err(wrong());
            };
            let (id, at) = (id.as_str().ok_or_else(wrong)?, at.as_i64().ok_or_else(wrong)?);
            if let Some((_, shown)) = entries.iter_mut().find(|(known, _)| known == id) {
                *shown = item;
                continue;
            }
            let was_there = before.iter().any(|known| known == id);
            if update_only == true && !was_there {
                continue;
            }
            let at = usize::try_from(at).map_or(entries.len(), |at| at.min(entries.len()));
            entries.insert(at, (id.to_owned(), item));
            keep(limit.as_i64(), entries);
        }
        Ok(name.to_owned())
    }

    /// Every entry, to be shown anew.
    pub(super) fn items(&mut self) -> impl Iterator<Item = &mut Item> {
        self.entries.values_mut().flatten().map(|(_, item)| item)
    }

    pub(super) fn show(&mut self, name: &str, out: &mut String) {
        self.seen.insert(name.to_owned());
        let entries = self.entries.get(name).into_iter().flatten();
        out.extend(entries.map(|(_, item)| item.html.as_str()));
    }
}

/// Keeps the first entries, or the last ones of a limit below 0.
fn keep(limit: Option<i64>, entries: &mut Vec<(String, Item)>) {
    let Some(limit) = limit else { return };
    let kept = usize::try_from(limit.unsigned_abs()).unwrap_or(usize::MAX);
    if limit >= 0 {
        entries.truncate(kept);
    } else {
        entries.drain(..entries.len().saturating_sub(kept));
    }
}
