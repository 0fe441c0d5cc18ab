//! What a page shows of streams.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::MergeError;

/// The entries on the page, by the stream's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams {
    entries: BTreeMap<String, Vec<(String, String)>>,
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
    pub(super) fn apply(&mut self, orders: &Value, html: Vec<String>) -> Result<String, MergeError> {
        let wrong = || MergeError::Missing(format!("a stream's name, inserts and deletes: {orders}"));
        let parts = orders.as_array().ok_or_else(wrong)?;
        let [name, inserts, deletes, reset @ ..] = parts.as_slice() else { return Err(wrong()) };
        let name = name.as_str().ok_or_else(wrong)?;
        let inserts = inserts.as_array().ok_or_else(wrong)?;
        let deletes = deletes.as_array().ok_or_else(wrong)?;
        if inserts.len() != html.len() {
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
        for (insert, html) in inserts.iter().zip(html) {
            let Some([id, at, limit, update_only]) = insert.as_array().map(Vec::as_slice) else {
                return Err(wrong());
            };
            let (id, at) = (id.as_str().ok_or_else(wrong)?, at.as_i64().ok_or_else(wrong)?);
            if let Some((_, shown)) = entries.iter_mut().find(|(known, _)| known == id) {
                *shown = html;
                continue;
            }
            let was_there = before.iter().any(|known| known == id);
            if update_only == true && !was_there {
                continue;
            }
            let at = usize::try_from(at).map_or(entries.len(), |at| at.min(entries.len()));
            entries.insert(at, (id.to_owned(), html));
            keep(limit.as_i64(), entries);
        }
        Ok(name.to_owned())
    }

    pub(super) fn show(&mut self, name: &str, out: &mut String) {
        self.seen.insert(name.to_owned());
        let entries = self.entries.get(name).into_iter().flatten();
        out.extend(entries.map(|(_, html)| html.as_str()));
    }
}

/// Keeps the first entries, or the last ones of a limit below 0.
fn keep(limit: Option<i64>, entries: &mut Vec<(String, String)>) {
    let Some(limit) = limit else { return };
    let kept = usize::try_from(limit.unsigned_abs()).unwrap_or(usize::MAX);
    if limit >= 0 {
        entries.truncate(kept);
    } else {
        entries.drain(..entries.len().saturating_sub(kept));
    }
}
