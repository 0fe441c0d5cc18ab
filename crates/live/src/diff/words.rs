//! What the client holds, as a flat row of 64-bit words.
//!
//! Invariant: the words of a tree stand in the order of the page, so a diff walks them once, beside the new
//! render. A value is one of:
//!
//! | word | then | means |
//! |---|---|---|
//! | `hash`, low bits 00 | | a text |
//! | `n << 2`, low bits 01 | the template, the values: `n` words | nested markup |
//! | `n << 2`, low bits 10 | the template or 0, a head, the entries: `n` words | a list |
//! | `cid << 2`, low bits 11 | | a live component's place |
//! | `n << 2` and the highest bit, low bits 11 | the key, its markup as nested markup: `n` words | a part |
//!
//! A list's head is `count`, `values an entry << 32` and `stream << 63`; an entry is its key and its values. A
//! stream has the hash of its name after the head, and no entries.

use crate::tree::Cid;

const NESTED: u64 = 1;
const LIST: u64 = 2;
const COMPONENT: u64 = 3;
const STREAM: u64 = 1 << 63;
const PART: u64 = 1 << 63 | COMPONENT;

/// A value that the client holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held<'a> {
    Text(u64),
    Nested(HeldNode<'a>),
    List(HeldList<'a>),
    Component(u32),
    Part(HeldPart<'a>),
}

/// A part that the client holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldPart<'a> {
    pub(super) key: u64,
    /// The words of its markup: a value of its own.
    pub(super) markup: &'a [u64],
}

/// Nested markup that the client holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldNode<'a> {
    pub(super) template: u64,
    pub(super) values: &'a [u64],
}

/// A list that the client holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldList<'a> {
    /// `None`: the client holds an empty text, because there never was an entry.
    pub(super) template: Option<u64>,
    pub(super) count: usize,
    /// The hash of a stream's name.
    pub(super) stream: Option<u64>,
    gaps: usize,
    entries: &'a [u64],
}

impl<'a> HeldNode<'a> {
    /// The words of a whole tree: its template and its values.
    pub(super) fn of(words: &'a [u64]) -> Self {
        match words.split_first() {
            Some((&template, values)) => Self { template, values },
            None => Self { template: 0, values: &[] },
        }
    }
}

/// Takes the first value off the words.
pub(super) fn take<'a>(words: &mut &'a [u64]) -> Option<Held<'a>> {
    let (&first, rest) = words.split_first()?;
    let kind = first & 0b11;
    let part = first & PART == PART;
    let payload = usize::try_from((first & !STREAM) >> 2).ok()?;
    let inner = if kind == NESTED || kind == LIST || part { payload } else { 0 };
    let (body, rest) = rest.split_at_checked(inner)?;
    *words = rest;
    Some(match kind {
        NESTED => Held::Nested(HeldNode::of(body)),
        LIST => {
            let (&template, body) = body.split_first()?;
            let (&head, body) = body.split_first()?;
            let (stream, entries) = match body.split_first() {
                Some((&name, entries)) if head & STREAM != 0 => (Some(name), entries),
                _ => (None, body),
            };
            Held::List(HeldList {
                template: (template != 0).then_some(template),
                count: usize::try_from(head & u64::from(u32::MAX)).ok()?,
                stream,
                gaps: usize::try_from((head & !STREAM) >> 32).ok()?,
                entries,
            })
        }
        COMPONENT if part => {
            let (&key, markup) = body.split_first()?;
            Held::Part(HeldPart { key, markup })
        }
        COMPONENT => Held::Component(u32::try_from(payload).ok()?),
        _ => Held::Text(first),
    })
}

impl<'a> HeldList<'a> {
    /// Each entry's key and values, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, &'a [u64])> + use<'a> {
        let (mut rest, gaps, mut left) = (self.entries, self.gaps, self.count);
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let (&key, values) = rest.split_first()?;
            let mut after = values;
            for _ in 0..gaps {
                take(&mut after)?;
            }
            rest = after;
            Some((key, &values[..values.len() - after.len()]))
        })
    }
}

/// The words of a new state while they are written.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<u64>);

/// Where the length of something is filled in when it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open(usize);

impl Words {
    pub(super) fn with_room(words: usize) -> Self {
        Self(Vec::with_capacity(words))
    }

    pub(super) fn into_boxed(self) -> Box<[u64]> {
        self.0.into_boxed_slice()
    }

    /// A word as it is: a template, a key, a text's hash.
    pub(super) fn push(&mut self, word: u64) {
        self.0.push(word);
    }

    pub(super) fn component(&mut self, cid: Cid) {
        self.0.push(u64::from(cid.get()) << 2 | COMPONENT);
    }

    pub(super) fn open_nested(&mut self, template: u64) -> Open {
        let at = self.open(NESTED);
        self.0.push(template);
        at
    }

    pub(super) fn open_part(&mut self, key: u64) -> Open {
        let at = self.open(PART);
        self.0.push(key);
        at
    }

    /// Words that stay as they are.
    pub(super) fn extend(&mut self, words: &[u64]) {
        self.0.extend_from_slice(words);
    }

    pub(super) fn open_list(
        &mut self,
        template: Option<u64>,
        count: usize,
        gaps: usize,
        stream: Option<u64>,
    ) -> Open {
        let at = self.open(LIST);
        self.0.push(template.unwrap_or(0));
        let flag = if stream.is_some() { STREAM } else { 0 };
        self.0.push(count as u64 & u64::from(u32::MAX) | (gaps as u64) << 32 | flag);
        self.0.extend(stream);
        at
    }

    fn open(&mut self, kind: u64) -> Open {
        self.0.push(kind);
        Open(self.0.len() - 1)
    }

    /// Fills in how many words followed.
    pub(super) fn close(&mut self, open: Open) {
        let inner = (self.0.len() - open.0 - 1) as u64;
        self.0[open.0] |= inner << 2;
    }
}

/// Calls `found` for each live component whose place is in these values.
pub(super) fn components(mut values: &[u64], found: &mut impl FnMut(u32)) {
    while let Some(held) = take(&mut values) {
        match held {
            Held::Text(_) => {}
            Held::Component(cid) => found(cid),
            Held::Nested(node) => components(node.values, found),
            Held::Part(part) => components(part.markup, found),
            Held::List(list) => {
                for (_, values) in list.entries() {
                    components(values, found);
                }
            }
        }
    }
}
