//! Lists whose items the server forgets once they are sent.
//!
//! Invariant: an order to the client is sent with exactly one diff: it is rendered as often as the view is, and
//! forgotten when a diff has taken it. Messages that share a render give the list that they give one by one.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::tree::{self, Insert, List, Rendered, StreamOps};

/// Where an item of a stream goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// Behind all others.
    #[default]
    End,
    /// Before all others.
    Start,
    /// At this place, counted from 0.
    Place(u32),
}

impl At {
    fn wire(self) -> i64 {
        match self {
            Self::End => -1,
            Self::Start => 0,
            Self::Place(place) => i64::from(place),
        }
    }
}

/// A stream of items: what is to be sent of them, not the items that are on the page.
///
/// ```
/// # use live::{Ctx, LiveView, Halt, Page, Rendered, Stream, Template, Dyn};
/// static ROW: Template = Template::new(&["<li id=\"", "\">", "</li>"], true);
/// static LIST: Template = Template::new(&["<ul id=\"log\" phx-update=\"stream\">", "</ul>"], true);
///
/// struct Log { lines: Stream<u32> }
///
/// impl LiveView for Log {
///     type Scope = ();
///     type Params = ();
///     type Event = ();
///     type Info = u32;
///     async fn mount(_: &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
///         Ok(Self { lines: cx.stream("lines", |n| format!("line-{n}")) })
///     }
///     async fn handle_info(&mut self, n: u32, _: &mut Ctx<'_, Self>) {
///         self.lines.insert(n);
///     }
///     fn render(&self, _: &Page) -> Rendered {
///         let rows = self.lines.render(|id, n| {
///             Rendered::new(&ROW, vec![Dyn::text(id.to_owned()), Dyn::text(n.to_string())])
///         });
///         Rendered::new(&LIST, vec![Dyn::List(rows)])
///     }
/// }
/// ```
pub struct Stream<T> {
    dom_id: fn(&T) -> String,
    /// Shared with the page, which empties it when a diff has taken it.
    pending: Arc<Mutex<Pending<T>>>,
}

struct Pending<T> {
    name: String,
    /// Each with its order, in the order of the calls.
    inserts: Vec<(Insert, T)>,
    deletes: Vec<String>,
    reset: bool,
    /// How many items the client keeps: of the last ones if negative.
    limit: Option<i64>,
}

/// A stream without its type, as the page empties it.
pub(crate) trait Drained {
    fn drain(&mut self);
    /// Whether what waits has to be sent before any further order: an item at a counted place, or under a limit. The client
    /// takes all deletes of a message first, so a later one would move what was counted.
    fn is_counted(&self) -> bool;
}

impl<T> Drained for Pending<T> {
    fn drain(&mut self) {
        self.inserts = Vec::new();
        self.deletes = Vec::new();
        self.reset = false;
    }

    fn is_counted(&self) -> bool {
        self.inserts.iter().any(|(order, _)| order.at > 0 || order.limit.is_some())
    }
}

impl<T: Send + 'static> Stream<T> {
    pub(crate) fn new(name: String, dom_id: fn(&T) -> String) -> Self {
        let pending = Pending { name, inserts: Vec::new(), deletes: Vec::new(), reset: false, limit: None };
        Self { dom_id, pending: Arc::new(Mutex::new(pending)) }
    }

    pub(crate) fn downgrade(&self) -> Weak<Mutex<dyn Drained + Send>> {
        let shared: Arc<Mutex<dyn Drained + Send>> = self.pending.clone();
        Arc::downgrade(&shared)
    }

    /// From now on the client keeps at most this many items: the first ones, and of later inserts at the start it
    /// drops the last.
    pub fn keep_first(&mut self, items: u32) {
        self.pending.lock().limit = Some(i64::from(items));
    }

    /// From now on the client keeps at most this many items: the last ones.
    pub fn keep_last(&mut self, items: u32) {
        self.pending.lock().limit = Some(-i64::from(items));
    }

    /// Adds an item at the end, or changes the one of the same id where it is.
    pub fn insert(&mut self, item: T) {
        self.insert_at(At::End, item);
    }

    /// Adds an item at a place, or changes the one of the same id where it is.
    pub fn insert_at(&mut self, at: At, item: T) {
        self.put(at, false, item);
    }

    /// Changes an item that is on the page; does nothing if it is not.
    pub fn update(&mut self, item: T) {
        self.put(At::End, true, item);
    }

    fn put(&mut self, at: At, update_only: bool, item: T) {
        let dom_id = (self.dom_id)(&item);
        let mut pending = self.pending.lock();
        let limit = pending.limit;
        let waiting = pending.inserts.iter().position(|(order, _)| order.dom_id == dom_id);
        match waiting {
            // It stays where the earlier order puts it, as it would if that had been sent already.
            Some(place) if update_only || !pending.inserts[place].0.update_only => {
                pending.inserts[place].1 = item;
                return;
            }
            Some(place) => {
                pending.inserts.remove(place);
            }
            // It is taken away in this very message: the client would keep it to be changed.
            None if update_only && (pending.reset || pending.deletes.contains(&dom_id)) => return,
            None => {}
        }
        pending.inserts.push((Insert { dom_id, at: at.wire(), limit, update_only }, item));
    }

    /// Takes an item away.
    pub fn delete(&mut self, item: &T) {
        self.delete_by_id((self.dom_id)(item));
    }

    /// Takes the item with this `id` of its element away.
    pub fn delete_by_id(&mut self, dom_id: impl Into<String>) {
        let dom_id = dom_id.into();
        let mut pending = self.pending.lock();
        pending.inserts.retain(|(order, _)| order.dom_id != dom_id);
        if !pending.deletes.contains(&dom_id) {
            pending.deletes.push(dom_id);
        }
    }

    /// Takes all items away and begins with these.
    pub fn reset(&mut self, items: impl IntoIterator<Item = T>) {
        {
            let mut pending = self.pending.lock();
            pending.drain();
            pending.reset = true;
        }
        for item in items {
            self.insert(item);
        }
    }

    /// The list to put into the template. Each item is one element whose `id` is the first argument.
    pub fn render(&self, mut render: impl FnMut(&str, &T) -> Rendered) -> List {
        let pending = self.pending.lock();
        let orders = StreamOps {
            name: pending.name.clone(),
            inserts: pending.inserts.iter().map(|(order, _)| order.clone()).collect(),
            deletes: pending.deletes.clone(),
            reset: pending.reset,
        };
        tree::stream(orders, pending.inserts.iter().map(|(order, item)| render(&order.dom_id, item)))
    }
}

impl<T> std::fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stream").field(&self.pending.lock().name).finish()
    }
}
