//! A page's content as the tests see it: an oracle that shares no code with the crate.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use live::tree::{Insert, Part, Shared, StreamOps};
use live::{Cid, Dyn, Rendered, Template, each, stream};

/// One value on the page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Text(&'static str),
    Nested(Piece),
    /// Each with its key; keys may repeat.
    List(Vec<(u8, Piece)>),
    Component(u32),
    Stream(StreamNode),
}

/// A template of [`TEMPLATES`] and its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) template: usize,
    pub(crate) values: Vec<Node>,
}

/// A stream's place, and what happens to it in this render.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StreamNode {
    pub(crate) name: &'static str,
    pub(crate) inserts: Vec<(Insert, Piece)>,
    pub(crate) deletes: Vec<String>,
    pub(crate) reset: bool,
}

pub(crate) static TEMPLATES: [Template; 9] = [
    Template::new(&["<p class=\"a\">", "</p>"], true),
    Template::new(&["<section>", " <b id=\"x\">", "</b></section>"], true),
    Template::new(&["", "-", ""], false),
    Template::new(&["plain"], false),
    Template::new(&["<hr>"], true),
    Template::new(&["<i>", "", "", "</i>"], true),
    Template::new(&["", ""], false),
    // The same strings as the first, at another address.
    Template::new(&["<p class=\"a\">", "</p>"], true),
    Template::new(&["<u>\"\\\n\u{1}</u>", "<em>", "</em>"], false),
];

/// A stream's entry: its id and a text.
pub(crate) static ENTRY: Template = Template::new(&["<li id=\"", "\">", "</li>"], true);
/// The element around a stream: its name, twice, and its entries.
static CONTAINER: Template = Template::new(&["<ul id=\"", "\" phx-update=\"stream\">", "</ul>"], true);

impl Piece {
    fn statics(&self) -> &'static Template {
        TEMPLATES.get(self.template).unwrap_or(&ENTRY)
    }

    /// The whole piece.
    pub(crate) fn rendered(&self) -> Rendered {
        self.lean(&BTreeSet::new())
    }

    /// The piece without the parts of these keys.
    pub(crate) fn lean(&self, held: &BTreeSet<u64>) -> Rendered {
        Rendered::new(self.statics(), self.values.iter().map(|value| value.value(held)).collect())
    }

    /// The keys of the parts in it, but for those within entries of streams.
    pub(crate) fn parts(&self, found: &mut BTreeSet<u64>) {
        let mut pieces = vec![self];
        while let Some(piece) = pieces.pop() {
            found.extend(piece.part());
            for value in &piece.values {
                match value {
                    Node::Nested(piece) => pieces.push(piece),
                    Node::List(entries) => pieces.extend(entries.iter().map(|(_, piece)| piece)),
                    Node::Text(_) | Node::Component(_) | Node::Stream(_) => {}
                }
            }
        }
    }

    /// The key under which it is a part where it is nested: half of the templates are. What has a stream is none, since it
    /// gives orders whether it has changed or not.
    fn part(&self) -> Option<u64> {
        (self.template % 2 == 1 && !self.has_stream()).then(|| {
            let mut hasher = DefaultHasher::new();
            format!("{self:?}").hash(&mut hasher);
            hasher.finish()
        })
    }

    /// Whether it is markup that other pages show too.
    fn is_shared(&self) -> bool {
        matches!(self.template, 2 | 8)
    }

    fn has_stream(&self) -> bool {
        self.values.iter().any(|value| match value {
            Node::Stream(_) => true,
            Node::Nested(piece) => piece.has_stream(),
            Node::List(entries) => entries.iter().any(|(_, piece)| piece.has_stream()),
            Node::Text(_) | Node::Component(_) => false,
        })
    }

    /// The markup; `place` answers for components and streams.
    pub(crate) fn html(&self, place: &mut dyn FnMut(&Node) -> String) -> String {
        let mut out = String::new();
        for (at, text) in self.statics().statics.iter().enumerate() {
            out.push_str(text);
            if let Some(value) = self.values.get(at) {
                out.push_str(&value.html(place));
            }
        }
        out
    }
}

impl Node {
    fn value(&self, held: &BTreeSet<u64>) -> Dyn {
        match self {
            Self::Text(text) => Dyn::text(*text),
            Self::Nested(piece) => match piece.part() {
                Some(key) if held.contains(&key) => Dyn::Part(Part::held(key)),
                Some(key) => Dyn::Part(Part::rendered(key, piece.lean(held))),
                None if piece.is_shared() => Dyn::Shared(Shared::new(piece.rendered())),
                None => Dyn::Nested(piece.lean(held)),
            },
            Self::List(entries) => Dyn::List(each(entries, |(key, _)| *key, |(_, piece)| piece.lean(held))),
            Self::Component(cid) => Dyn::Component(Cid::new(*cid).unwrap()),
            Self::Stream(node) => {
                let orders = StreamOps {
                    name: node.name.to_owned(),
                    inserts: node.inserts.iter().map(|(insert, _)| insert.clone()).collect(),
                    deletes: node.deletes.clone(),
                    reset: node.reset,
                };
                let entries = stream(orders, node.inserts.iter().map(|(_, piece)| piece.lean(held)));
                Dyn::Nested(Rendered::new(&CONTAINER, vec![Dyn::text(node.name), Dyn::List(entries)]))
            }
        }
    }

    fn html(&self, place: &mut dyn FnMut(&Self) -> String) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Nested(piece) => piece.html(place),
            Self::List(entries) => entries.iter().map(|(_, piece)| piece.html(place)).collect(),
            Self::Component(_) | Self::Stream(_) => place(self),
        }
    }
}
