//! All orders, under versions.
//!
//! Invariant: every change makes the version greater by one, so that whoever knows a version can be told exactly what it
//! has missed, or that it must read everything anew.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::order::{Order, OrderNo, Status, Wish};

/// Orders that the book holds. A full book takes none.
pub const MAX_ORDERS: usize = 10_000;
/// Changes that are kept for those who were away.
pub const KEPT_CHANGES: usize = 256;

/// How many changes there have been.
pub type Version = u64;

/// One change: the order as it is since then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The book's version since this change.
    pub version: Version,
    /// The order that is new or has moved on.
    pub order: Order,
}

/// What somebody has to be told who knows a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// These changes, in their order. None, if they know everything.
    Changes(Vec<Change>),
    /// More than the book remembers: read the orders anew.
    Everything,
}

/// Why the book did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// At [`MAX_ORDERS`].
    #[error("the book is full: it holds {MAX_ORDERS} orders")]
    Full,
    /// No such order.
    #[error("there is no order {0}")]
    Unknown(OrderNo),
    /// Somebody was faster, or it is at its end.
    #[error("order {no} is {}: it can't go on from {}", now.name(), from.name())]
    Moved {
        /// Which.
        no: OrderNo,
        /// Where it was thought to be.
        from: Status,
        /// Where it is.
        now: Status,
    },
}

/// The orders and their last changes.
///
/// ```
/// use labs_orders_web::book::{Book, Missed};
/// use labs_orders_web::order::{Typed, Wish};
///
/// let mut book = Book::default();
/// let typed = Typed { customer: "Ada".into(), item: "Tea".into(), pieces: "2".into() };
/// let placed = book.place(Wish::check(&typed).unwrap()).unwrap();
/// let moved = book.advance(placed.order.no, placed.order.status).unwrap();
/// assert_eq!(book.since(placed.version), Missed::Changes(vec![moved]));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Book {
    orders: BTreeMap<OrderNo, Order>,
    changes: VecDeque<Change>,
    version: Version,
}

impl Book {
    /// Takes an order in.
    pub fn place(&mut self, wish: Wish) -> Result<Change, Refused> {
        if self.orders.len() >= MAX_ORDERS {
            return Err(Refused::Full);
        }
        let last = self.orders.keys().next_back().map_or(0, |no| no.0);
        Ok(self.write(wish.placed(OrderNo(last + 1))))
    }

    /// Moves an order one step on from where the caller saw it: two who press the same button move it once.
    pub fn advance(&mut self, no: OrderNo, from: Status) -> Result<Change, Refused> {
        let order = self.orders.get(&no).ok_or(Refused::Unknown(no))?;
        let now = order.status;
        //>> advance
        //? Two people see the order as placed, and both press "Pack". What does the second press do?
        match from.next() {
            Some(status) if now == from => Ok(self.write(Order { status, ..order.clone() })),
            _ => Err(Refused::Moved { no, from, now }),
        }
        //<<
    }

    fn write(&mut self, order: Order) -> Change {
        //>> write
        //? By what will somebody know that they have seen this change already? And who pays for keeping all of them?
        self.version += 1;
        let change = Change { version: self.version, order: order.clone() };
        self.orders.insert(order.no, order);
        if self.changes.len() == KEPT_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(change.clone());
        change
        //<<
    }

    /// The newest orders first, at most so many. O(limit).
    pub fn newest(&self, limit: usize) -> Vec<Order> {
        self.orders.values().rev().take(limit).cloned().collect()
    }

    /// How many changes there have been.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What somebody has missed who knows this version. O(changes missed).
    pub fn since(&self, known: Version) -> Missed {
        //>> since
        //? Which is the oldest version from which the changes still lead to now?
        //? The desk was restarted with an empty book, and a program knows version 40. What has it missed?
        let oldest = self.changes.front().map_or(self.version, |change| change.version - 1);
        // A version from the future is that of another book: of before a restart.
        if known > self.version || known < oldest {
            return Missed::Everything;
        }
        let skip = usize::try_from(known - oldest).unwrap_or(usize::MAX);
        Missed::Changes(self.changes.iter().skip(skip).cloned().collect())
        //<<
    }
}
