//! A message with live components: which trees it must name.
//!
//! Invariant: if the message changes a tree and, somewhere within that tree's markup, a component, then every
//! node between the two is named too. The client renders what is named and skips elements that are not (`r`),
//! with all that is within them.

use std::collections::{BTreeMap, HashMap};

use super::shadow::{Frame, NotHeld, Shadow, write_view};
use super::words::{self, HeldNode};
use super::{json, path, tree};
use crate::tree::{Cid, Rendered};

/// The trees of one message, written but not yet put together.
pub(super) struct Parts<'a> {
    frame: &'a Frame<'a>,
    root: Option<Part>,
    components: BTreeMap<Cid, Part>,
}

/// One tree's members and the words that remember it.
struct Part {
    members: Vec<u8>,
    words: Box<[u64]>,
}

impl Part {
    fn changed(&self) -> bool {
        !self.members.is_empty()
    }
}

impl<'a> Parts<'a> {
    pub(super) fn of(shadow: &Shadow, frame: &'a Frame<'a>) -> Result<Self, NotHeld> {
        let mut parts = Self { frame, root: None, components: BTreeMap::new() };
        parts.write_all(shadow, &[])?;
        let mention = parts.to_mention(shadow);
        if !mention.is_empty() {
            parts.write_all(shadow, &mention)?;
            parts.write_paths(shadow, &mention);
        }
        Ok(parts)
    }

    fn write_all(&mut self, shadow: &Shadow, mention: &[u32]) -> Result<(), NotHeld> {
        // A view that does not change names nothing: the client then renders the components alone.
        if mention.is_empty() || self.root.as_ref().is_some_and(Part::changed) {
            let root = self.frame.root.map(|root| {
                let mut members = Vec::new();
                let words = write_view(&shadow.root, root, mention, &mut members)?;
                Ok(Part { members, words })
            });
            self.root = root.transpose()?;
        }
        let mut alike = Alike::default();
        self.components.clear();
        for (cid, rendered) in self.frame.components {
            let part = write_component(shadow, *cid, rendered, mention, &mut alike)?;
            self.components.insert(*cid, part);
        }
        Ok(())
    }

    /// The components that must be named where they stand: those that change, and those that lead to them.
    fn to_mention(&self, shadow: &Shadow) -> Vec<u32> {
        let root_changed = self.root.as_ref().is_some_and(Part::changed);
        let changed = || self.components.iter().filter(|(_, part)| part.changed());
        if !root_changed && changed().nth(1).is_none() {
            return Vec::new();
        }
        let mut mention: Vec<u32> = changed().map(|(cid, _)| cid.get()).collect();
        let parents = self.parents(shadow);
        let mut next = 0;
        while let Some(child) = mention.get(next) {
            for parent in parents.get(child).into_iter().flatten() {
                if !mention.contains(parent) {
                    mention.push(*parent);
                }
            }
            next += 1;
        }
        mention
    }

    /// For each component, the components in whose markup it stands.
    fn parents(&self, shadow: &Shadow) -> HashMap<u32, Vec<u32>> {
        let mut parents: HashMap<u32, Vec<u32>> = HashMap::new();
        let unchanged = shadow.components.iter().filter(|(cid, _)| !self.components.contains_key(cid));
        let unchanged = unchanged.map(|(cid, words)| (*cid, &**words));
        let rendered = self.components.iter().map(|(cid, part)| (*cid, &*part.words));
        for (cid, words) in unchanged.chain(rendered) {
            words::components(HeldNode::of(words).values, &mut |child| {
                parents.entry(child).or_default().push(cid.get());
            });
        }
        parents
    }

    /// Names what leads to a changed component in the trees that were not rendered anew.
    fn write_paths(&mut self, shadow: &Shadow, mention: &[u32]) {
        for cid in mention.iter().filter_map(|cid| Cid::new(*cid)) {
            if self.components.contains_key(&cid) {
                continue;
            }
            let Some(words) = shadow.component(cid) else { continue };
            let mut members = Vec::new();
            path::path_to(HeldNode::of(words).values, mention, &mut members);
            self.components.insert(cid, Part { members, words: words.into() });
        }
    }

    /// Puts the message together, and has the shadow remember it.
    pub(super) fn write(self, shadow: &mut Shadow, out: &mut Vec<u8>) {
        if let Some(root) = self.root {
            out.extend_from_slice(&root.members);
            shadow.root = root.words;
        }
        let before = out.len();
        json::name("c", out);
        out.push(b'{');
        let empty = out.len();
        for (cid, part) in self.components {
            if part.changed() {
                json::position(cid.get(), out);
                out.push(b'{');
                out.extend_from_slice(&part.members);
                out.push(b'}');
            }
            shadow.remember(cid, part.words);
        }
        if out.len() == empty {
            out.truncate(before);
        } else {
            out.push(b'}');
        }
    }
}

/// For each template, a component that has it: its number is sent instead of the strings.
#[derive(Default)]
struct Alike {
    /// From those that the client holds; filled when first asked.
    held: Option<HashMap<u64, Cid>>,
    /// From those that this message sends whole.
    sent: HashMap<u64, Cid>,
}

impl Alike {
    /// What stands for the strings of this template: a number below 0 for a component that the client holds, one above 0
    /// for one of this message.
    fn find(&mut self, template: u64, shadow: &Shadow) -> Option<i64> {
        if let Some(cid) = self.sent.get(&template) {
            return Some(i64::from(cid.get()));
        }
        let held = self.held.get_or_insert_with(|| {
            shadow.components.iter().map(|(cid, words)| (HeldNode::of(words).template, *cid)).collect()
        });
        held.get(&template).map(|cid| -i64::from(cid.get()))
    }
}

fn write_component(
    shadow: &Shadow,
    cid: Cid,
    rendered: &Rendered,
    mention: &[u32],
    alike: &mut Alike,
) -> Result<Part, NotHeld> {
    let mut members = Vec::new();
    let template = rendered.template().fingerprint();
    let held = shadow.component(cid).unwrap_or_default();
    let mut writer = tree::Tree::new(&mut members, held.len().max(8), mention);
    if !held.is_empty() && HeldNode::of(held).template == template {
        writer.changed_root(HeldNode::of(held), rendered);
    } else {
        let like = alike.find(template, shadow);
        writer.whole_root(rendered, |out| match like {
            Some(cid) => json::number(cid, out),
            None => tree::statics(rendered.template(), out),
        });
        if like.is_none() {
            alike.sent.insert(template, cid);
        }
    }
    let words = writer.into_words()?;
    Ok(Part { members, words })
}
