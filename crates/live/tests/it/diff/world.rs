//! A page that changes at random, and what its client should show.

use std::collections::{BTreeMap, BTreeSet};

use live::tree::Insert;
use live::{Cid, Rendered};

use super::node::{Node, Piece, StreamNode, TEMPLATES};
use super::random::Random;

const TEXTS: [&str; 7] = ["", "one", "two", "a &lt; b", "\"\\\n\u{1}", "\u{e9}\u{1F980}", "3"];
const STREAMS: [&str; 2] = ["news", "orders"];
const COMPONENTS: u32 = 5;

/// The view, its components, and what the client shows of streams.
pub(crate) struct World {
    random: Random,
    view: Piece,
    components: BTreeMap<u32, Piece>,
    /// Those on the page, as the server last sent them.
    sent: BTreeMap<u32, Piece>,
    /// Those that the client was sent and has not destroyed.
    held: BTreeSet<u32>,
    sent_view: Option<Piece>,
    /// The keys of the parts in the view's markup as it was last sent.
    sent_parts: BTreeSet<u64>,
    shown: BTreeMap<&'static str, Vec<(String, Piece)>>,
}

/// One render: what is rendered anew, which components the client has destroyed before, and the page.
pub(crate) struct Step {
    pub(crate) view: Option<Rendered>,
    /// The same without the parts that it had when it was last sent, wherever they stood.
    pub(crate) lean: Option<Rendered>,
    pub(crate) components: Vec<(Cid, Rendered)>,
    pub(crate) destroyed: Vec<Cid>,
    pub(crate) html: String,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let view = piece(&mut random, 3, 0);
        let components = (1..=COMPONENTS).map(|cid| (cid, component(&mut random, cid))).collect();
        Self {
            random,
            view,
            components,
            sent: BTreeMap::new(),
            held: BTreeSet::new(),
            sent_view: None,
            sent_parts: BTreeSet::new(),
            shown: BTreeMap::new(),
        }
    }

    /// Changes the page and gives what the server renders of it.
    pub(crate) fn step(&mut self) -> Step {
        let calm = *self.random.pick(&[2, 6, 25]);
        if self.sent_view.is_some() {
            // Now the view changes, now only components do.
            if !self.random.once_in(3) {
                change_piece(&mut self.random, &mut self.view, calm, 0);
            }
            for (cid, piece) in &mut self.components {
                if self.random.once_in(2) {
                    change_piece(&mut self.random, piece, calm, *cid);
                }
            }
        }
        let mut placed = Placed::default();
        placed.visit_piece(&mut self.view);
        while let Some(cid) = placed.open.pop() {
            if let Some(piece) = self.components.get_mut(&cid) {
                placed.visit_piece(piece);
            }
        }
        let mut destroyed = Vec::new();
        if self.random.once_in(2) {
            let gone = self.held.iter().filter(|cid| !placed.components.contains(cid));
            destroyed = gone.filter_map(|cid| Cid::new(*cid)).collect();
            self.held.retain(|cid| placed.components.contains(cid));
        }
        let changed = self.sent_view.as_ref() != Some(&self.view);
        let view = (changed || self.random.once_in(2)).then(|| self.view.rendered());
        let lean = view.as_ref().map(|_| self.view.lean(&self.sent_parts));
        if view.is_some() {
            self.sent_parts.clear();
            self.view.parts(&mut self.sent_parts);
        }
        let mut components = Vec::new();
        for cid in &placed.components {
            let piece = &self.components[cid];
            if self.sent.get(cid) != Some(piece) || self.random.once_in(2) {
                components.extend(Cid::new(*cid).map(|cid| (cid, piece.rendered().into_element())));
            }
        }
        let html = self.html(&placed);
        // Without the orders of the streams: the same orders again are news.
        self.sent_view = Some(self.view.clone());
        self.sent.retain(|cid, _| placed.components.contains(cid));
        self.held.extend(&placed.components);
        for cid in &placed.components {
            self.sent.insert(*cid, self.components[cid].clone());
        }
        Step { view, lean, components, destroyed, html }
    }

    /// The page, streams included; the streams' orders are done with.
    fn html(&mut self, placed: &Placed) -> String {
        self.shown.retain(|name, _| placed.streams.contains(name));
        let mut pieces = vec![&mut self.view];
        pieces.extend(
            self.components.iter_mut().filter(|(cid, _)| placed.components.contains(cid)).map(|(_, p)| p),
        );
        for piece in pieces {
            each_stream(&mut piece.values, &mut |stream| {
                let shown = self.shown.entry(stream.name).or_default();
                obey(stream, shown);
            });
        }
        // What was placed twice, or not at all, has no orders left either.
        Page { components: &self.components, shown: &self.shown }.piece(&self.view)
    }
}

struct Page<'a> {
    components: &'a BTreeMap<u32, Piece>,
    shown: &'a BTreeMap<&'static str, Vec<(String, Piece)>>,
}

impl Page<'_> {
    fn piece(&self, piece: &Piece) -> String {
        piece.html(&mut |node| match node {
            Node::Component(cid) => self.component(*cid),
            Node::Stream(stream) => {
                let shown = self.shown.get(stream.name).into_iter().flatten();
                let entries: String = shown.map(|(_, piece)| self.piece(piece)).collect();
                format!("<ul id=\"{}\" phx-update=\"stream\">{entries}</ul>", stream.name)
            }
            _ => String::new(),
        })
    }

    fn component(&self, cid: u32) -> String {
        let piece = &self.components[&cid];
        let mut html = self.piece(piece);
        if !TEMPLATES[piece.template].root {
            html = format!("<div>{html}</div>");
        }
        let name = html.find([' ', '>']).unwrap();
        html.insert_str(name, &format!(" data-phx-component=\"{cid}\""));
        html
    }
}

fn text(random: &mut Random) -> Node {
    Node::Text(random.pick::<&str>(&TEXTS))
}

/// A random value. `owner` is the component that it stands in: it may hold those of greater numbers.
fn node(random: &mut Random, depth: usize, owner: u32) -> Node {
    if depth == 0 {
        return text(random);
    }
    match random.below(9) {
        3 | 4 => Node::Nested(piece(random, depth - 1, owner)),
        5 | 6 => {
            let uniform = random.below(TEMPLATES.len());
            let mixed = random.once_in(3);
            let entries = random.below(5);
            let entry = |random: &mut Random| {
                let template = if mixed { random.below(TEMPLATES.len()) } else { uniform };
                (u8::try_from(random.below(12)).unwrap(), piece_of(random, template, depth - 1, owner))
            };
            Node::List((0..entries).map(|_| entry(random)).collect())
        }
        7 if owner < COMPONENTS => {
            let above = random.below((COMPONENTS - owner) as usize);
            Node::Component(owner + 1 + u32::try_from(above).unwrap())
        }
        8 => {
            let name = *random.pick(&STREAMS);
            Node::Stream(StreamNode { name, inserts: Vec::new(), deletes: Vec::new(), reset: false })
        }
        _ => text(random),
    }
}

fn piece(random: &mut Random, depth: usize, owner: u32) -> Piece {
    let template = random.below(TEMPLATES.len());
    piece_of(random, template, depth, owner)
}

fn component(random: &mut Random, cid: u32) -> Piece {
    piece(random, 2, cid)
}

fn piece_of(random: &mut Random, template: usize, depth: usize, owner: u32) -> Piece {
    let values = (0..TEMPLATES[template].gaps()).map(|_| node(random, depth, owner)).collect();
    Piece { template, values }
}

fn change_piece(random: &mut Random, piece: &mut Piece, calm: usize, owner: u32) {
    if random.once_in(calm * 4) {
        *piece = self::piece(random, 2, owner);
        return;
    }
    for value in &mut piece.values {
        change(random, value, calm, owner);
    }
}

fn change(random: &mut Random, node: &mut Node, calm: usize, owner: u32) {
    if random.once_in(calm * 3) {
        *node = self::node(random, 2, owner);
        return;
    }
    match node {
        Node::Text(_) => {
            if random.once_in(calm) {
                *node = text(random);
            }
        }
        Node::Nested(piece) => change_piece(random, piece, calm, owner),
        Node::List(entries) => change_list(random, entries, calm, owner),
        Node::Component(_) => {}
        Node::Stream(stream) => change_stream(random, stream, calm),
    }
}

fn change_list(random: &mut Random, entries: &mut Vec<(u8, Piece)>, calm: usize, owner: u32) {
    for (_, piece) in entries.iter_mut() {
        change_piece(random, piece, calm, owner);
    }
    if !random.once_in(calm.min(3)) {
        return;
    }
    match random.below(7) {
        0 => entries.clear(),
        1 => entries.reverse(),
        2 if !entries.is_empty() => {
            let by = random.below(entries.len());
            entries.rotate_left(by);
        }
        3 if !entries.is_empty() => {
            let (a, b) = (random.below(entries.len()), random.below(entries.len()));
            entries.swap(a, b);
        }
        4 if !entries.is_empty() => {
            entries.remove(random.below(entries.len()));
        }
        _ => {
            let template = entries.first().map_or_else(|| random.below(TEMPLATES.len()), |(_, p)| p.template);
            let entry = piece_of(random, template, 1, owner);
            let at = random.below(entries.len() + 1);
            entries.insert(at, (u8::try_from(random.below(12)).unwrap(), entry));
        }
    }
}

fn change_stream(random: &mut Random, stream: &mut StreamNode, calm: usize) {
    if !random.once_in(calm.min(3)) {
        return;
    }
    stream.reset = random.once_in(6);
    stream.deletes = (0..random.below(3)).map(|_| entry_id(random, stream.name)).collect();
    let mut ids = BTreeSet::new();
    for _ in 0..random.below(4) {
        let dom_id = entry_id(random, stream.name);
        if ids.insert(dom_id.clone()) {
            let at = *random.pick(&[-1, -1, 0, 0, 1, 2, 9]);
            let limit = *random.pick(&[None, None, None, Some(3), Some(-3)]);
            let insert = Insert { dom_id, at, limit, update_only: random.once_in(5) };
            let id: &'static str = Box::leak(insert.dom_id.clone().into_boxed_str());
            let values = vec![Node::Text(id), node(random, 1, COMPONENTS)];
            stream.inserts.push((insert, Piece { template: usize::MAX, values }));
        }
    }
    // An entry of a stream holds no stream: nobody could tell when its element goes.
    for (_, piece) in &mut stream.inserts {
        Placed::without_streams(&mut piece.values);
    }
}

fn entry_id(random: &mut Random, stream: &str) -> String {
    format!("{stream}-{}", random.below(6))
}

/// What the page holds: a component or a stream is in one place only.
#[derive(Default)]
struct Placed {
    components: BTreeSet<u32>,
    streams: BTreeSet<&'static str>,
    /// Components that were not looked into yet.
    open: Vec<u32>,
}

impl Placed {
    fn visit_piece(&mut self, piece: &mut Piece) {
        for value in &mut piece.values {
            match value {
                Node::Text(_) => {}
                Node::Nested(piece) => self.visit_piece(piece),
                Node::List(entries) => entries.iter_mut().for_each(|(_, piece)| self.visit_piece(piece)),
                Node::Component(cid) => {
                    if self.components.insert(*cid) {
                        self.open.push(*cid);
                    } else {
                        *value = Node::Text("twice");
                    }
                }
                Node::Stream(stream) => {
                    if !self.streams.insert(stream.name) {
                        *value = Node::Text("twice");
                    }
                }
            }
        }
    }

    fn without_streams(values: &mut [Node]) {
        for value in values {
            match value {
                Node::Stream(_) | Node::Component(_) => *value = Node::Text("no"),
                Node::Nested(piece) => Self::without_streams(&mut piece.values),
                Node::List(entries) => {
                    for (_, piece) in entries {
                        Self::without_streams(&mut piece.values);
                    }
                }
                Node::Text(_) => {}
            }
        }
    }
}

fn each_stream(values: &mut [Node], found: &mut dyn FnMut(&mut StreamNode)) {
    for value in values {
        match value {
            Node::Stream(stream) => found(stream),
            Node::Nested(piece) => each_stream(&mut piece.values, found),
            Node::List(entries) => entries.iter_mut().for_each(|(_, p)| each_stream(&mut p.values, found)),
            Node::Text(_) | Node::Component(_) => {}
        }
    }
}

/// Does to what is shown what the stream's orders say, and clears them.
fn obey(stream: &mut StreamNode, shown: &mut Vec<(String, Piece)>) {
    let before = shown.clone();
    if std::mem::take(&mut stream.reset) {
        shown.clear();
    }
    for id in std::mem::take(&mut stream.deletes) {
        shown.retain(|(known, _)| *known != id);
    }
    for (insert, piece) in std::mem::take(&mut stream.inserts) {
        let known = |shown: &[(String, Piece)]| shown.iter().position(|(id, _)| *id == insert.dom_id);
        if let Some(at) = known(shown) {
            shown[at].1 = piece;
        } else if !insert.update_only || known(&before).is_some() {
            let at = usize::try_from(insert.at).unwrap_or(shown.len()).min(shown.len());
            shown.insert(at, (insert.dom_id.clone(), piece));
            match insert.limit {
                Some(limit) if limit >= 0 => shown.truncate(3),
                Some(_) => {
                    while shown.len() > 3 {
                        shown.remove(0);
                    }
                }
                None => {}
            }
        }
    }
}
