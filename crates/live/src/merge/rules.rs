//! How a message changes the tree.
//!
//! | a value of the message | does |
//! |---|---|
//! | has `s` | replaces what was there |
//! | an object, over an object | is merged into it |
//! | anything else | replaces what was there |
//! | `k` | changes the entries of a list by their places |

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::MergeError;

/// Merges `source` into `target`.
pub(super) fn merge(target: &mut Value, source: Value) -> Result<(), MergeError> {
    match (target, source) {
        (Value::Object(held), Value::Object(source)) if !source.contains_key("s") => {
            merge_members(held, source)
        }
        (target, source) => {
            *target = source;
            Ok(())
        }
    }
}

fn merge_members(target: &mut Map<String, Value>, mut source: Map<String, Value>) -> Result<(), MergeError> {
    if let Some(entries) = source.remove("k") {
        return merge_entries(target, entries, source);
    }
    for (name, value) in source {
        match target.get_mut(&name) {
            Some(held) => merge(held, value)?,
            None => {
                target.insert(name, value);
            }
        }
    }
    Ok(())
}

/// Changes a list: `beside` is what stands beside `k`.
fn merge_entries(
    target: &mut Map<String, Value>,
    entries: Value,
    mut beside: Map<String, Value>,
) -> Result<(), MergeError> {
    let Some(Value::Object(held)) = target.get_mut("k") else {
        return Err(MergeError::Missing(format!("entries for what is no list: {entries}")));
    };
    let Value::Object(entries) = entries else {
        return Err(MergeError::Missing(format!("entries that are no object: {entries}")));
    };
    let count = count(&entries)?;
    // A move reads from the old places. Without `km` there is nothing to read them from.
    let old = if entries.contains_key("km") { held.clone() } else { Map::new() };
    let from = |place: &Value| {
        let entry = place.as_u64().and_then(|place| old.get(&place.to_string()));
        entry.cloned().ok_or_else(|| MergeError::Missing(format!("an entry at the old place {place}")))
    };
    for (place, entry) in entries {
        match entry {
            _ if place == "kc" || place == "km" => {}
            Value::Number(_) => {
                held.insert(place, from(&entry)?);
            }
            Value::Array(moved) => {
                let [place_before, diff] = <[Value; 2]>::try_from(moved)
                    .map_err(|moved| MergeError::Missing(format!("a move of another length: {moved:?}")))?;
                let mut entry = from(&place_before)?;
                merge(&mut entry, diff)?;
                held.insert(place, entry);
            }
            entry => merge(held.entry(place).or_insert_with(|| Value::Object(Map::new())), entry)?,
        }
    }
    held.retain(|place, _| place.parse().is_ok_and(|place: u64| place < count));
    held.insert("kc".to_owned(), count.into());
    for name in ["stream", "p"] {
        if let Some(value) = beside.remove(name) {
            target.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

/// How many entries a list has.
pub(super) fn count(entries: &Map<String, Value>) -> Result<u64, MergeError> {
    let count = entries.get("kc").and_then(Value::as_u64);
    count.ok_or_else(|| MergeError::Missing(format!("a list without a count: {entries:?}")))
}

/// Merges the components of a message. A number in the place of the strings means: as that component is, above 0
/// in this message, below 0 on the client.
pub(super) fn merge_components(
    held: &mut BTreeMap<u64, Value>,
    sent: &BTreeMap<u64, Value>,
) -> Result<(), MergeError> {
    let mut merged = BTreeMap::new();
    for cid in sent.keys() {
        let tree = component(*cid, held, sent, 0)?;
        merged.insert(*cid, tree);
    }
    held.extend(merged);
    Ok(())
}

/// One component as it is after the message. `depth` ends a circle of components that are "as" one another.
fn component(
    cid: u64,
    held: &BTreeMap<u64, Value>,
    sent: &BTreeMap<u64, Value>,
    depth: usize,
) -> Result<Value, MergeError> {
    let missing = |what: &str| MergeError::Missing(format!("component {cid}: {what}"));
    let source = sent.get(&cid).ok_or_else(|| missing("is not in the message"))?;
    let like = source.get("s").and_then(Value::as_i64);
    let mut tree = match like {
        _ if depth > sent.len() => return Err(missing("is as itself")),
        Some(like) if like > 0 => component(like.unsigned_abs(), held, sent, depth + 1)?,
        Some(like) => held.get(&like.unsigned_abs()).cloned().ok_or_else(|| missing("is as one unknown"))?,
        None => held.get(&cid).cloned().unwrap_or_else(|| Value::Object(Map::new())),
    };
    let mut source = source.clone();
    if let (Some(_), Value::Object(members)) = (like, &mut source) {
        members.remove("s");
    }
    merge(&mut tree, source)?;
    Ok(tree)
}

/// Puts the strings of the message's table where its numbers are, and forgets the table.
pub(super) fn resolve_templates(tree: &mut Value, table: Option<&Value>) -> Result<(), MergeError> {
    let Value::Object(members) = tree else { return Ok(()) };
    let own = members.remove("p");
    let table = own.as_ref().or(table);
    if let Some(number) = members.get("s").and_then(Value::as_u64) {
        let strings = table.and_then(|table| table.get(number.to_string()));
        let strings = strings.ok_or_else(|| MergeError::Missing(format!("template {number} in `p`")))?;
        members.insert("s".to_owned(), strings.clone());
    }
    for (name, value) in members.iter_mut() {
        if name == "k" || name.bytes().all(|byte| byte.is_ascii_digit()) {
            resolve_templates(value, table)?;
        }
    }
    Ok(())
}
