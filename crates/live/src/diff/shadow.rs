//! What the server remembers of one page, and the messages made from it.

use super::parts::Parts;
use super::words::{self, HeldNode};
use super::{json, tree};
use crate::tree::{Cid, Rendered, Template};

/// The strings around a view's markup. The page's outermost node never changes its strings: when it does, the
/// client forgets every component.
static VIEW: Template = Template::new(&["", ""], false);

/// One render to send: whatever was rendered anew.
///
/// What is left out has not changed. A component that the client does not hold
/// ([`Shadow::components`]) and that the page shows must be there, and none that the page does not show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// The view's own markup.
    pub root: Option<&'a Rendered>,
    /// The markup of live components, each once. Each is one element
    /// ([`Rendered::into_element`](crate::Rendered::into_element) sees to it).
    pub components: &'a [(Cid, Rendered)],
}

/// A part was left out of a render that the client does not hold at that place: all parts have to be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part that was left out is not held by the client at its place: render it")]
pub struct NotHeld;

/// What travels beside the markup.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'a> {
    /// The page's new title.
    pub title: Option<&'a str>,
    /// Events for the page's hooks: each a JSON array `[name, payload]`.
    pub events: &'a [String],
    /// The answer to a hook's event: JSON.
    pub reply: Option<&'a str>,
}

/// What the client of one page holds, as hashes: eight bytes for each value, whatever its length.
///
/// ```
/// use live::{Dyn, Extras, Frame, Rendered, Shadow, Template};
///
/// static COUNT: Template = Template::new(&["<p>", "</p>"], true);
/// let page = |n: u32| Rendered::new(&COUNT, vec![Dyn::text(n.to_string())]);
///
/// let mut out = Vec::new();
/// let (one, two) = (page(1), page(2));
/// let mut shadow =
///     Shadow::full(&Frame { root: Some(&one), components: &[] }, &Extras::default(), &mut out)?;
/// assert_eq!(out, br#"{"0":{"0":"1","s":0,"r":1},"s":["",""],"p":{"0":["<p>","</p>"]}}"#);
///
/// out.clear();
/// let changed = shadow.diff(&Frame { root: Some(&two), components: &[] }, &Extras::default(), &mut out)?;
/// assert!(changed);
/// assert_eq!(out, br#"{"0":{"0":"2"}}"#);
/// # Ok::<(), live::diff::NotHeld>(())
/// ```
#[derive(Debug, Default)]
pub struct Shadow {
    /// The view's own tree; empty before the first message.
    pub(super) root: Box<[u64]>,
    /// The components' trees, in order of their numbers.
    pub(super) components: Vec<(Cid, Box<[u64]>)>,
}

impl Shadow {
    /// Writes the first render whole (the `rendered` of the answer to a join), and remembers it.
    pub fn full(frame: &Frame<'_>, extras: &Extras<'_>, out: &mut Vec<u8>) -> Result<Self, NotHeld> {
        let mut shadow = Self::default();
        shadow.diff(frame, extras, out)?;
        Ok(shadow)
    }

    /// Writes what differs from the last message, and remembers the new state.
    ///
    /// Appends one JSON object: `{}` if nothing differs. The answer says whether something does. Linear in the
    /// number of values rendered, and of those held if there are components.
    ///
    /// A component that leaves the page is forgotten at once, not when the client says that it has destroyed it. The
    /// client renders one that comes back meanwhile without telling its elements apart; a later message that passes the
    /// component over gives them names that never reach the page, and the next one then skips elements by these names.
    /// Sent whole, it begins anew.
    ///
    /// An error is about a part that was left out ([`Part::held`](crate::tree::Part::held)); then neither the shadow nor
    /// `out` has changed.
    pub fn diff(
        &mut self,
        frame: &Frame<'_>,
        extras: &Extras<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, NotHeld> {
        let shown = if self.components.is_empty() { Vec::new() } else { self.placed() };
        let start = out.len();
        out.push(b'{');
        let before = out.len();
        if frame.components.is_empty() {
            if let Some(root) = frame.root {
                self.root_alone(root, out).inspect_err(|_| out.truncate(start))?;
            }
        } else {
            Parts::of(self, frame).inspect_err(|_| out.truncate(start))?.write(self, out);
        }
        if !shown.is_empty() {
            self.forget_left(shown, frame);
        }
        extras.write(out);
        let changed = out.len() > before;
        out.push(b'}');
        Ok(changed)
    }

    /// Forgets the components that this message took off the page. One that moved into a stream's entry is still shown.
    fn forget_left(&mut self, shown: Vec<Cid>, frame: &Frame<'_>) {
        let placed = self.placed();
        let mut left: Vec<Cid> = shown.into_iter().filter(|cid| !placed.contains(cid)).collect();
        if !left.is_empty() {
            let rendered = frame.root.into_iter().chain(frame.components.iter().map(|(_, markup)| markup));
            rendered.for_each(|markup| markup.components(&mut |cid| left.retain(|gone| *gone != cid)));
            self.forget(&left);
        }
    }

    /// Takes out of `components` those within entries of streams that were sent earlier: they need a message of their own,
    /// before the one that changes the view's markup. The client has forgotten such entries, as the server has; it looks
    /// for the components of a message in the markup around them, and finds these only in a message of components alone.
    pub(crate) fn take_streamed(
        &self,
        root: &Rendered,
        components: &mut Vec<(Cid, Rendered)>,
    ) -> Vec<(Cid, Rendered)> {
        if components.is_empty() {
            return Vec::new();
        }
        let mut reached = self.placed();
        root.components(&mut |cid| reached.push(cid));
        let mut next = 0;
        while let Some(cid) = reached.get(next).copied() {
            next += 1;
            if let Some((_, markup)) = components.iter().find(|(known, _)| *known == cid) {
                markup.components(&mut |cid| {
                    if !reached.contains(&cid) {
                        reached.push(cid);
                    }
                });
            }
        }
        components.extract_if(.., |(cid, _)| !reached.contains(cid)).collect()
    }

    /// The view's markup when no component was rendered: nothing needs to be held back.
    fn root_alone(&mut self, root: &Rendered, out: &mut Vec<u8>) -> Result<(), NotHeld> {
        self.root = write_view(&self.root, root, &[], out)?;
        Ok(())
    }

    /// The client has destroyed these components: one that comes back is sent whole.
    pub fn forget(&mut self, cids: &[Cid]) {
        self.components.retain(|(cid, _)| !cids.contains(cid));
    }

    /// The components that the client holds, in order of their numbers.
    pub fn components(&self) -> impl Iterator<Item = Cid> + '_ {
        self.components.iter().map(|(cid, _)| *cid)
    }

    /// Whether the client holds this component.
    pub fn holds(&self, cid: Cid) -> bool {
        self.component(cid).is_some()
    }

    /// The components whose places are on the page, each once, in no order: in the view's markup or in another
    /// of them. Places within the entries of streams are not remembered.
    pub fn placed(&self) -> Vec<Cid> {
        let mut found = Vec::new();
        let mut trees = vec![&*self.root];
        while let Some(words) = trees.pop() {
            words::components(HeldNode::of(words).values, &mut |cid| {
                let Some(cid) = Cid::new(cid).filter(|cid| !found.contains(cid)) else { return };
                found.push(cid);
                trees.extend(self.component(cid));
            });
        }
        found
    }

    /// Bytes that are held on the heap.
    pub fn heap(&self) -> usize {
        let components: usize = self.components.iter().map(|(_, words)| size_of_val(&**words)).sum();
        size_of_val(&*self.root) + components + self.components.capacity() * size_of::<(Cid, Box<[u64]>)>()
    }

    pub(super) fn component(&self, cid: Cid) -> Option<&[u64]> {
        let at = self.components.binary_search_by_key(&cid, |(cid, _)| *cid).ok()?;
        Some(&self.components[at].1)
    }

    pub(super) fn remember(&mut self, cid: Cid, words: Box<[u64]>) {
        match self.components.binary_search_by_key(&cid, |(cid, _)| *cid) {
            Ok(at) => self.components[at].1 = words,
            Err(at) => self.components.insert(at, (cid, words)),
        }
    }
}

/// Writes what changed in the view's own markup; everything, if the client holds nothing yet.
pub(super) fn write_view(
    held: &[u64],
    root: &Rendered,
    mention: &[u32],
    out: &mut Vec<u8>,
) -> Result<Box<[u64]>, NotHeld> {
    let mut writer = tree::Tree::new(out, held.len().max(16), mention);
    if held.is_empty() {
        writer.whole_view(&VIEW, root);
    } else {
        writer.changed_view(HeldNode::of(held), root);
    }
    writer.into_words()
}

impl Extras<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        if let Some(title) = self.title {
            json::name("t", out);
            json::string(title, out);
        }
        if !self.events.is_empty() {
            json::name("e", out);
            out.push(b'[');
            for event in self.events {
                json::comma(out);
                out.extend_from_slice(event.as_bytes());
            }
            out.push(b']');
        }
        if let Some(reply) = self.reply {
            json::name("r", out);
            out.extend_from_slice(reply.as_bytes());
        }
    }
}
