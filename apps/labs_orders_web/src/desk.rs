//! The book that all share, and the telling of its changes.
//!
//! Invariant: changes are told under the lock under which they are made, so they reach everybody in the order of their
//! versions. Telling never waits: a reader who is slow has its own queue, and its own bound.

use std::sync::Arc;

use channels::Broadcaster;
use otp::PubSub;
use parking_lot::Mutex;
use serde_json::json;

use crate::book::{Book, Change, Missed, Refused, Version};
use crate::order::{Order, OrderNo, Status, Wish};

/// The topic of the programs' feed.
pub const FEED: &str = "orders:feed";
/// The event of a change there.
pub const CHANGED: &str = "changed";

/// The bus topic of the desk's one book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Orders;

/// The orders as somebody reads them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The book's version when they were read.
    pub version: Version,
    /// The newest first.
    pub orders: Vec<Order>,
}

/// Cheap to clone; clones are the same desk.
#[derive(Clone)]
pub struct Desk {
    book: Arc<Mutex<Book>>,
    bus: PubSub<Orders, Change>,
    programs: Broadcaster,
}

impl Desk {
    /// With an empty book. Programs that joined [`FEED`] at this broadcaster's endpoints are told of changes.
    pub fn new(programs: Broadcaster) -> Self {
        Self { book: Arc::default(), bus: PubSub::new(), programs }
    }

    /// Takes an order in.
    pub fn place(&self, wish: Wish) -> Result<Order, Refused> {
        self.change(|book| book.place(wish))
    }

    /// Moves an order one step on from where the caller saw it.
    pub fn advance(&self, no: OrderNo, from: Status) -> Result<Order, Refused> {
        self.change(|book| book.advance(no, from))
    }

    fn change(&self, act: impl FnOnce(&mut Book) -> Result<Change, Refused>) -> Result<Order, Refused> {
        //>> change
        //? Two orders are placed at the same moment. In which order are their changes told, and what holds it?
        let mut book = self.book.lock();
        let change = act(&mut book)?;
        let order = change.order.clone();
        self.tell(change);
        Ok(order)
        //<<
    }

    /// Encoded once, whoever listens.
    fn tell(&self, change: Change) {
        let told = self.programs.broadcast(FEED, CHANGED, json!(change));
        if let Err(error) = told {
            tracing::error!(%error, "change can't be broadcast");
        }
        self.bus.publish(&Orders, change);
    }

    /// Where pages hear of changes. Subscribe first, then read: what happens in between is heard, and known by its
    /// version.
    pub fn bus(&self) -> &PubSub<Orders, Change> {
        &self.bus
    }

    /// The newest orders.
    pub fn read(&self, limit: usize) -> Snapshot {
        let book = self.book.lock();
        Snapshot { version: book.version(), orders: book.newest(limit) }
    }

    /// What somebody has missed who knows this version.
    pub fn since(&self, known: Version) -> Missed {
        self.book.lock().since(known)
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("version", &self.book.lock().version()).finish_non_exhaustive()
    }
}
