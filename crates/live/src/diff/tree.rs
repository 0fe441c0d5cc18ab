//! One tree's message: the view's own markup, or one component's.
//!
//! Invariant: what is written and what is remembered agree. Every function that writes a value to the message
//! also writes its words; one that finds nothing changed takes back what it wrote to the message, and only that.

use std::collections::HashMap;

use super::path::path_into;
use super::shadow::NotHeld;
use super::words::{self, Held, HeldList, HeldNode, HeldPart, Words};
use super::{hash, json};
use crate::tree::{Dyn, Entry, List, Part, Rendered, Shared, StreamOps, Template};

/// The strings of a stream that says something before it ever had an entry.
static NO_ENTRY: Template = Template::new(&[""], false);

/// A tree while it is written.
pub(super) struct Tree<'a> {
    pub(super) out: &'a mut Vec<u8>,
    words: Words,
    /// The templates that this message sends, each once: their place here is their number in `p`.
    templates: Vec<&'static Template>,
    /// The components that the client will render in this message. Each must be named by whatever holds it:
    /// the client skips an element with `r` that the message does not mention, and the component within.
    mention: &'a [u32],
    /// Where the number of which template is to stand: for markup that is written apart from a message.
    open: Option<Vec<(usize, &'static Template)>>,
    /// A part was left out that the client does not hold there: the message is worth nothing.
    lacks_part: bool,
}

impl<'a> Tree<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, room: usize, mention: &'a [u32]) -> Self {
        let words = Words::with_room(room);
        Self { out, words, templates: Vec::new(), mention, open: None, lacks_part: false }
    }

    /// A tree that is written apart from its message: the numbers of its templates are left open.
    pub(super) fn apart(out: &'a mut Vec<u8>) -> Self {
        Self { open: Some(Vec::new()), ..Self::new(out, 16, &[]) }
    }

    /// The numbers that were left open, with their places.
    pub(super) fn numbers(&mut self) -> Box<[(usize, &'static Template)]> {
        self.open.take().unwrap_or_default().into()
    }

    /// What the client holds once it has the message.
    pub(super) fn into_words(self) -> Result<Box<[u64]>, NotHeld> {
        if self.lacks_part { Err(NotHeld) } else { Ok(self.words.into_boxed()) }
    }

    /// Writes a component's or a page's members, whole: the values, `s` as `statics` writes it, `r`.
    pub(super) fn whole_root(&mut self, rendered: &Rendered, statics: impl FnOnce(&mut Vec<u8>)) {
        self.words.push(rendered.template.fingerprint());
        self.whole_values(&rendered.dynamics);
        json::name("s", self.out);
        statics(self.out);
        if rendered.template.root {
            json::name("r", self.out);
            self.out.push(b'1');
        }
        self.template_table();
    }

    /// Writes the members that changed in a component or page of the same template; answers whether any did.
    pub(super) fn changed_root(&mut self, held: HeldNode<'_>, rendered: &Rendered) -> bool {
        let before = self.out.len();
        self.words.push(held.template);
        self.changed_values(held.values, &rendered.dynamics);
        self.template_table();
        self.out.len() > before
    }

    /// Writes the page's outermost node, whole: its only value is the view's markup.
    pub(super) fn whole_view(&mut self, around: &'static Template, view: &Rendered) {
        self.words.push(around.fingerprint());
        json::position(0, self.out);
        self.whole_nested(view);
        json::name("s", self.out);
        statics(around, self.out);
        self.template_table();
    }

    /// Writes what changed in the view's markup.
    pub(super) fn changed_view(&mut self, held: HeldNode<'_>, view: &Rendered) {
        self.words.push(held.template);
        let before = self.out.len();
        json::position(0, self.out);
        let changed = if let Some(Held::Nested(node)) = words::take(&mut { held.values }) {
            self.changed_nested(node, view)
        } else {
            // Not reached: the outermost node holds nested markup.
            self.whole_nested(view);
            true
        };
        if !changed {
            self.out.truncate(before);
        }
        self.template_table();
    }

    fn template_table(&mut self) {
        if self.templates.is_empty() {
            return;
        }
        json::name("p", self.out);
        self.out.push(b'{');
        for (at, template) in std::mem::take(&mut self.templates).into_iter().enumerate() {
            json::position(at, self.out);
            statics(template, self.out);
        }
        self.out.push(b'}');
    }

    fn whole_values(&mut self, values: &[Dyn]) {
        for (at, value) in values.iter().enumerate() {
            json::position(at, self.out);
            self.whole(value);
        }
    }

    fn whole(&mut self, value: &Dyn) {
        match value {
            Dyn::Text(text) => {
                json::string(text, self.out);
                self.words.push(hash::text(text));
            }
            Dyn::Component(cid) => {
                json::number(cid.get(), self.out);
                self.words.component(*cid);
            }
            Dyn::Nested(nested) => self.whole_nested(nested),
            Dyn::List(list) => self.whole_list(list),
            Dyn::Part(part) => self.whole_part(part),
            Dyn::Shared(shared) => self.whole_shared(shared),
        }
    }

    fn whole_shared(&mut self, shared: &Shared) {
        match (&shared.encoded, &mut self.open) {
            (Some(encoded), None) => {
                let templates = &mut self.templates;
                encoded.write(|template| number_in(templates, template), self.out);
                self.words.extend(encoded.words());
            }
            _ => self.whole_nested(&shared.markup),
        }
    }

    /// A part's markup is a value as any other on the wire; only the words know it as a part.
    fn whole_part(&mut self, part: &Part) {
        let Some(markup) = &part.markup else {
            self.lacks_part = true;
            return;
        };
        let open = self.words.open_part(part.key);
        self.whole_nested(markup);
        self.words.close(open);
    }

    pub(super) fn whole_nested(&mut self, nested: &Rendered) {
        let open = self.words.open_nested(nested.template.fingerprint());
        self.out.push(b'{');
        self.whole_values(&nested.dynamics);
        self.statics_member(nested.template);
        if nested.template.root {
            json::name("r", self.out);
            self.out.push(b'1');
        }
        self.out.push(b'}');
        self.words.close(open);
    }

    fn statics_member(&mut self, template: &'static Template) {
        json::name("s", self.out);
        match &mut self.open {
            Some(open) => open.push((self.out.len(), template)),
            None => json::number(number_in(&mut self.templates, template), self.out),
        }
    }

    fn whole_list(&mut self, list: &List) {
        let stream = list.stream.as_deref();
        if list.entries.is_empty() && stream.is_none() {
            let open = self.words.open_list(None, 0, 0, None);
            self.words.close(open);
            self.out.extend_from_slice(b"\"\"");
            return;
        }
        // A stream is announced by its name even when it has nothing to show: its element may have entries.
        let template = list.template.unwrap_or(&NO_ENTRY);
        self.out.push(b'{');
        self.new_entries(template, list);
        self.statics_member(template);
        if let Some(orders) = stream {
            stream_member(orders, self.out);
        }
        self.out.push(b'}');
    }

    /// Writes `k` with every entry whole. A stream's entries are not remembered.
    fn new_entries(&mut self, template: &'static Template, list: &List) {
        let stream = stream_name(list);
        let kept = if stream.is_some() { 0 } else { list.entries.len() };
        let open = self.words.open_list(Some(template.fingerprint()), kept, template.gaps(), stream);
        let remembered = stream.map(|_| std::mem::take(&mut self.words));
        json::name("k", self.out);
        self.out.push(b'{');
        for (at, entry) in list.entries.iter().enumerate() {
            json::position(at, self.out);
            self.whole_entry(entry);
        }
        json::name("kc", self.out);
        json::number(list.entries.len(), self.out);
        self.out.push(b'}');
        if let Some(words) = remembered {
            self.words = words;
        }
        self.words.close(open);
    }

    fn whole_entry(&mut self, entry: &Entry) {
        self.words.push(entry.key);
        self.out.push(b'{');
        self.whole_values(&entry.dynamics);
        self.out.push(b'}');
    }

    /// Writes the members that changed.
    fn changed_values(&mut self, mut held: &[u64], values: &[Dyn]) {
        for (at, value) in values.iter().enumerate() {
            let before = self.out.len();
            json::position(at, self.out);
            let changed = if let Some(held) = words::take(&mut held) {
                self.changed(held, value)
            } else {
                // Not reached: the templates are the same, and so is the number of values.
                self.whole(value);
                true
            };
            if !changed {
                self.out.truncate(before);
            }
        }
    }

    /// Writes an object of the members that changed, or nothing.
    fn changed_object(&mut self, held: &[u64], values: &[Dyn]) -> bool {
        let before = self.out.len();
        self.out.push(b'{');
        self.changed_values(held, values);
        if self.out.len() == before + 1 {
            self.out.truncate(before);
            return false;
        }
        self.out.push(b'}');
        true
    }

    /// Writes the value if the client does not hold it; answers whether it was written.
    fn changed(&mut self, held: Held<'_>, value: &Dyn) -> bool {
        match (held, value) {
            (Held::Text(held), Dyn::Text(text)) => {
                let hash = hash::text(text);
                self.words.push(hash);
                if hash != held {
                    json::string(text, self.out);
                }
                hash != held
            }
            (Held::Component(held), Dyn::Component(cid)) => {
                self.words.component(*cid);
                let changed = held != cid.get() || self.mention.contains(&held);
                if changed {
                    json::number(cid.get(), self.out);
                }
                changed
            }
            (Held::Nested(held), Dyn::Nested(nested)) => self.changed_nested(held, nested),
            (Held::Nested(held), Dyn::Shared(shared)) => self.changed_nested(held, &shared.markup),
            (Held::Part(held), Dyn::Part(part)) => self.changed_part(held, part),
            (Held::List(held), Dyn::List(list)) if held.stream == stream_name(list) => {
                self.changed_list(&held, list)
            }
            (_, value) => {
                self.whole(value);
                true
            }
        }
    }

    fn changed_nested(&mut self, held: HeldNode<'_>, nested: &Rendered) -> bool {
        if held.template != nested.template.fingerprint() {
            self.whole_nested(nested);
            return true;
        }
        let open = self.words.open_nested(held.template);
        let changed = self.changed_object(held.values, &nested.dynamics);
        self.words.close(open);
        changed
    }

    fn changed_part(&mut self, held: HeldPart<'_>, part: &Part) -> bool {
        if held.key == part.key {
            let open = self.words.open_part(held.key);
            self.words.extend(held.markup);
            self.words.close(open);
            let markup = words::take(&mut { held.markup });
            return !self.mention.is_empty()
                && markup.is_some_and(|markup| path_into(markup, self.mention, self.out));
        }
        let (Some(markup), Some(Held::Nested(node))) = (&part.markup, words::take(&mut { held.markup }))
        else {
            // It was left out: a part's markup is nested markup.
            self.whole_part(part);
            return true;
        };
        let open = self.words.open_part(part.key);
        let changed = self.changed_nested(node, markup);
        self.words.close(open);
        changed
    }

    fn changed_list(&mut self, held: &HeldList<'_>, list: &List) -> bool {
        let orders = list.stream.as_deref().filter(|orders| !orders.is_empty());
        if list.entries.is_empty() && orders.is_none() && held.count == 0 {
            // What the client holds stays: an empty text, or a list whose strings it knows.
            let gaps = list.template.map_or(0, Template::gaps);
            let open = self.words.open_list(held.template, 0, gaps, held.stream);
            self.words.close(open);
            return false;
        }
        let template = match (list.template, held.template) {
            (Some(new), Some(held)) if new.fingerprint() == held => Some(new),
            (None, Some(_)) if orders.is_none() => None,
            _ => {
                self.whole_list(list);
                return true;
            }
        };
        match (template, orders) {
            (Some(template), Some(orders)) => {
                self.out.push(b'{');
                self.new_entries(template, list);
                stream_member(orders, self.out);
                self.out.push(b'}');
                true
            }
            (Some(template), None) => self.changed_entries(held, template, list),
            (None, _) => {
                let open = self.words.open_list(held.template, 0, 0, held.stream);
                self.words.close(open);
                self.out.extend_from_slice(b"{\"k\":{\"kc\":0}}");
                true
            }
        }
    }

    fn changed_entries(&mut self, held: &HeldList<'_>, template: &'static Template, list: &List) -> bool {
        let olds: Vec<(u64, &[u64])> = held.entries().collect();
        let open = self.words.open_list(held.template, list.entries.len(), template.gaps(), None);
        let before = self.out.len();
        self.out.extend_from_slice(b"{\"k\":{");
        let empty = self.out.len();
        let mut elsewhere = None;
        let mut moved = false;
        for (at, entry) in list.entries.iter().enumerate() {
            let start = self.out.len();
            json::position(at, self.out);
            if let Some((_, values)) = olds.get(at).filter(|(key, _)| *key == entry.key) {
                self.words.push(entry.key);
                if !self.changed_object(values, &entry.dynamics) {
                    self.out.truncate(start);
                }
                continue;
            }
            let elsewhere = elsewhere.get_or_insert_with(|| displaced(&olds, list));
            match elsewhere.remove(&entry.key) {
                Some(from) => {
                    moved = true;
                    self.moved_entry(from, olds[from].1, entry);
                }
                None => self.whole_entry(entry),
            }
        }
        self.words.close(open);
        if self.out.len() == empty && list.entries.len() == held.count {
            self.out.truncate(before);
            return false;
        }
        json::name("kc", self.out);
        json::number(list.entries.len(), self.out);
        if moved {
            self.out.extend_from_slice(b",\"km\":true");
        }
        self.out.extend_from_slice(b"}}");
        true
    }

    /// Writes the old place of an entry, with what changed in it if anything did.
    fn moved_entry(&mut self, from: usize, held: &[u64], entry: &Entry) {
        self.words.push(entry.key);
        let before = self.out.len();
        self.out.push(b'[');
        json::number(from, self.out);
        self.out.push(b',');
        if self.changed_object(held, &entry.dynamics) {
            self.out.push(b']');
        } else {
            self.out.truncate(before);
            json::number(from, self.out);
        }
    }
}

/// The number of a template in a message's table.
fn number_in(templates: &mut Vec<&'static Template>, template: &'static Template) -> usize {
    let known = templates.iter().position(|known| std::ptr::eq(*known, template));
    known.unwrap_or_else(|| {
        templates.push(template);
        templates.len() - 1
    })
}

/// Where the old entries stand that are not at their old place any more. Each is taken once: two entries that
/// share one old place would be one object on the client.
fn displaced(olds: &[(u64, &[u64])], list: &List) -> HashMap<u64, usize, foldhash::fast::FixedState> {
    let stays = |at: usize, key: u64| list.entries.get(at).is_some_and(|entry| entry.key == key);
    let gone = olds.iter().enumerate().filter(|(at, (key, _))| !stays(*at, *key));
    gone.map(|(at, (key, _))| (*key, at)).collect()
}

/// By what a stream is known.
fn stream_name(list: &List) -> Option<u64> {
    list.stream.as_ref().map(|orders| hash::text(&orders.name))
}

fn stream_member(orders: &StreamOps, out: &mut Vec<u8>) {
    json::name("stream", out);
    out.push(b'[');
    json::string(&orders.name, out);
    out.extend_from_slice(b",[");
    for insert in &orders.inserts {
        json::comma(out);
        out.push(b'[');
        json::string(&insert.dom_id, out);
        out.push(b',');
        json::number(insert.at, out);
        out.push(b',');
        match insert.limit {
            Some(limit) => json::number(limit, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(if insert.update_only { b",true]" } else { b",false]" });
    }
    out.extend_from_slice(b"],[");
    for id in &orders.deletes {
        json::comma(out);
        json::string(id, out);
    }
    // A fourth element means a reset, whatever its value.
    out.extend_from_slice(if orders.reset { b"],true]" } else { b"]]" });
}

pub(super) fn statics(template: &Template, out: &mut Vec<u8>) {
    out.push(b'[');
    for text in template.statics {
        json::comma(out);
        json::string(text, out);
    }
    out.push(b']');
}
