//! A page's content as the tests see it: an oracle that shares no code with the crate.

use live::tree::{Insert, StreamOps};
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

    pub(crate) fn rendered(&self) -> Rendered {
        Rendered::new(self.statics(), self.values.iter().map(Node::value).collect())
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
    fn value(&self) -> Dyn {
        match self {
            Self::Text(text) => Dyn::text(*text),
            Self::Nested(piece) => Dyn::Nested(piece.rendered()),
            Self::List(entries) => Dyn::List(each(entries, |(key, _)| *key, |(_, piece)| piece.rendered())),
            Self::Component(cid) => Dyn::Component(Cid::new(*cid).unwrap()),
            Self::Stream(node) => {
                let orders = StreamOps {
                    name: node.name.to_owned(),
                    inserts: node.inserts.iter().map(|(insert, _)| insert.clone()).collect(),
                    deletes: node.deletes.clone(),
                    reset: node.reset,
                };
                let entries = stream(orders, node.inserts.iter().map(|(_, piece)| piece.rendered()));
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
