//! The way to places in markup that was not rendered anew.
//!
//! Invariant: what is written names the places, and what leads to them, and nothing else: the client keeps all that it has.

use super::json;
use super::words::{self, Held};

/// Writes the members that lead to the places of `mention` in a tree that was not rendered anew.
pub(super) fn path_to(mut values: &[u64], mention: &[u32], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(held) = words::take(&mut values) {
        let before = out.len();
        json::position(at, out);
        if !path_into(held, mention, out) {
            out.truncate(before);
        }
        at += 1;
    }
}

/// Writes the value as far as it leads to one of `mention`; answers whether it does.
pub(super) fn path_into(held: Held<'_>, mention: &[u32], out: &mut Vec<u8>) -> bool {
    match held {
        Held::Text(_) => false,
        Held::Component(cid) => {
            let wanted = mention.contains(&cid);
            if wanted {
                json::number(cid, out);
            }
            wanted
        }
        Held::Nested(node) => path_object(node.values, mention, out),
        Held::Part(part) => {
            words::take(&mut { part.markup }).is_some_and(|markup| path_into(markup, mention, out))
        }
        Held::List(list) => {
            let before = out.len();
            out.extend_from_slice(b"{\"k\":{");
            let empty = out.len();
            for (at, (_, values)) in list.entries().enumerate() {
                let start = out.len();
                json::position(at, out);
                if !path_object(values, mention, out) {
                    out.truncate(start);
                }
            }
            if out.len() == empty {
                out.truncate(before);
                return false;
            }
            json::name("kc", out);
            json::number(list.count, out);
            out.extend_from_slice(b"}}");
            true
        }
    }
}

fn path_object(values: &[u64], mention: &[u32], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    out.push(b'{');
    path_to(values, mention, out);
    if out.len() == before + 1 {
        out.truncate(before);
        return false;
    }
    out.push(b'}');
    true
}
