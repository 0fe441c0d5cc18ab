//! A repetition whose entries are known by keys.
//!
//! Invariant: the entries of a list share one template.

use std::hash::{BuildHasher, Hash};

use super::{Dyn, Rendered, StreamOps, Template};
use crate::diff::hash;

/// The entries of a repetition, in the order of the page.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// The strings of each entry. `None` while there never was an entry to learn them from.
    pub(crate) template: Option<&'static Template>,
    pub(crate) entries: Vec<Entry>,
    /// What to do on the client, when the list is a stream: the server keeps no entries of it.
    pub(crate) stream: Option<Box<StreamOps>>,
}

/// One entry of a [`List`].
#[derive(Debug, Clone)]
pub struct Entry {
    /// The hash of the key by which the entry is known again when it moves.
    pub(crate) key: u64,
    pub(crate) dynamics: Vec<Dyn>,
}

/// The strings of a list whose entries have different templates: each entry is one nested value.
static MIXED: Template = Template::new(&["", ""], false);

/// Renders each item; an entry keeps its identity by its key when the order changes.
///
/// Keys should be unique. The second entry of a key counts as another one, so the page is right, but it may
/// be sent anew when the order changes.
///
/// ```
/// use live::{Dyn, Rendered, Template, each};
///
/// static ROW: Template = Template::new(&["<li>", "</li>"], true);
/// let list = each([(7, "tea"), (9, "milk")], |(id, _)| *id, |(_, name)| {
///     Rendered::new(&ROW, vec![Dyn::text(name)])
/// });
/// assert_eq!(list.to_html(), "<li>tea</li><li>milk</li>");
/// ```
pub fn each<T, K: Hash>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
    mut render: impl FnMut(T) -> Rendered,
) -> List {
    let state = hash::state();
    List::keyed(items.into_iter().map(|item| (state.hash_one(key(&item)), render(item))))
}

/// The new and changed entries of a stream, in the order of the orders' inserts, and the orders themselves.
///
/// The server keeps nothing of the entries: what is not named stays as it is on the client. A live component within an
/// entry is sent anew in a message of its own, which a view sees to; who writes messages with a `Shadow` must.
///
/// # Panics
///
/// When there is not one entry for each insert.
pub fn stream(orders: StreamOps, entries: impl IntoIterator<Item = Rendered>) -> List {
    let mut list = List::keyed(entries.into_iter().map(|entry| (0, entry)));
    assert_eq!(list.len(), orders.inserts.len(), "a stream's list has one entry for each insert");
    list.stream = Some(Box::new(orders));
    list
}

impl List {
    /// The list of these entries, each with the hash of its key.
    pub(crate) fn keyed(rendered: impl IntoIterator<Item = (u64, Rendered)>) -> Self {
        let mut list = Self::default();
        for (key, entry) in rendered {
            list.push(key, entry);
        }
        list
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn push(&mut self, key: u64, entry: Rendered) {
        match self.template {
            None => self.template = Some(entry.template),
            Some(known) if std::ptr::eq(known, entry.template) || std::ptr::eq(known, &raw const MIXED) => {}
            Some(known) => self.mix(known),
        }
        let mixed = self.template.is_some_and(|known| std::ptr::eq(known, &raw const MIXED));
        let dynamics = if mixed { vec![Dyn::Nested(entry)] } else { entry.dynamics };
        self.entries.push(Entry { key, dynamics });
    }

    /// The entries differ in their templates: each becomes a nested value.
    fn mix(&mut self, known: &'static Template) {
        for entry in &mut self.entries {
            let dynamics = std::mem::take(&mut entry.dynamics);
            entry.dynamics = vec![Dyn::Nested(Rendered { template: known, dynamics })];
        }
        self.template = Some(&MIXED);
    }
}
