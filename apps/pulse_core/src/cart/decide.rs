//! What a command does to a cart: `decide` says which events, `apply` makes them so.
//!
//! **Invariant.** `decide` changes nothing; `apply` refuses nothing. A refused command leaves no trace. Edits of a
//! frozen cart are refused until its lease is over; then they thaw it first.

use std::time::Duration;

use super::{Cart, Freeze, Line, LineKey, Price};
use crate::{CheckoutKey, Money, MoneyError, Quantity, Sku, Timestamp};

/// How long a checkout may hold a cart. A checkout takes milliseconds; what is left after a minute has died.
pub const FREEZE_LEASE: Duration = Duration::from_mins(1);

/// What somebody wants of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Put pieces in at a price; more of a line that is already there where product and price are the same.
    Add {
        /// The product.
        sku: Sku,
        /// How many more.
        quantity: Quantity,
        /// At this price each.
        price: Price,
    },
    /// Make it so many.
    SetQuantity {
        /// Which line.
        line: LineKey,
        /// How many from now on.
        quantity: Quantity,
    },
    /// Take a line out.
    Remove {
        /// Which line.
        line: LineKey,
    },
    /// Take all lines out.
    Clear,
    /// Begin a checkout. One that is under way under the same key is joined: nothing happens, and both come to the
    /// same order. One under another key is taken over: the version fence makes the older one fail, so at most one
    /// of them places an order.
    Freeze {
        /// The checkout's name.
        key: CheckoutKey,
    },
    /// Give a checkout up.
    Thaw {
        /// The checkout's name; another's freeze is left alone.
        key: CheckoutKey,
    },
}

/// What has happened to a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Pieces came in.
    Added {
        /// To this line, which may be new.
        line: LineKey,
        /// So many more.
        quantity: Quantity,
    },
    /// A line has another quantity.
    QuantitySet {
        /// This line.
        line: LineKey,
        /// Its quantity now.
        quantity: Quantity,
    },
    /// A line is gone.
    Removed {
        /// This line.
        line: LineKey,
    },
    /// All lines are gone.
    Cleared,
    /// A checkout has begun.
    Frozen(Freeze),
    /// The checkout is given up.
    Thawed,
    /// The checkout made an order: the cart is empty and open again.
    CheckedOut,
}

/// What a cart may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lines at most.
    pub lines: usize,
    /// Pieces a line at most.
    pub pieces: i64,
}

impl Limits {
    /// For people: what fits a page, and no way to book out the stock by a slip of the finger.
    pub const BUYER: Self = Self { lines: 200, pieces: 10_000 };
    /// For those who may quote prices: wholesale invoices are long.
    pub const TRADE: Self = Self { lines: 100_000, pieces: i64::MAX };
}

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    /// A checkout is under way.
    #[error("a checkout of this cart is under way until {until}: wait for it, or give it up")]
    Frozen {
        /// When its lease is over.
        until: Timestamp,
    },
    /// One line too many.
    #[error("the cart is full: it holds {max} lines")]
    Full {
        /// The limit.
        max: usize,
    },
    /// Too many pieces in one line.
    #[error("too many pieces: a line holds at most {max}")]
    TooMany {
        /// The limit.
        max: i64,
    },
    /// The line is not there.
    #[error("the cart has no line {line}")]
    NoSuchLine {
        /// The line that was asked for.
        line: LineKey,
    },
    /// There is nothing to check out.
    #[error("the cart is empty")]
    Empty,
    /// No checkout of that key is under way.
    #[error("no checkout {key} of this cart is under way")]
    NotFrozen {
        /// The key that was asked for.
        key: CheckoutKey,
    },
    /// The price is below zero.
    #[error("a price can't be below zero")]
    NegativePrice,
    /// The total does not fit, or the currencies differ.
    #[error("the cart's total can't be computed: {0}")]
    Total(#[from] MoneyError),
}

/// Which events `command` has on `cart` at `now`, or why it is refused. No events where all is as it is wanted
/// already, which is only so of a checkout that is joined. O(lines).
pub fn decide(
    cart: &Cart,
    command: &Command,
    now: Timestamp,
    limits: &Limits,
) -> Result<Vec<Event>, CartError> {
    let edit = match command {
        Command::Freeze { key } => return freeze(cart, key, now),
        Command::Thaw { key } => return thaw(cart, key),
        Command::Add { sku, quantity, price } => add(cart, *sku, *quantity, *price, limits)?,
        Command::SetQuantity { line, quantity } => set_quantity(cart, *line, *quantity, limits)?,
        Command::Remove { line } => {
            let line = cart.line(line).ok_or(CartError::NoSuchLine { line: *line })?.key();
            Event::Removed { line }
        }
        Command::Clear => Event::Cleared,
    };
    match &cart.freeze {
        None => Ok(vec![edit]),
        Some(freeze) if now < freeze.until => Err(CartError::Frozen { until: freeze.until }),
        Some(_) => Ok(vec![Event::Thawed, edit]),
    }
}

fn add(cart: &Cart, sku: Sku, quantity: Quantity, price: Price, limits: &Limits) -> Result<Event, CartError> {
    if price.unit.pence < 0 {
        return Err(CartError::NegativePrice);
    }
    let line = LineKey { sku, price };
    let too_many = CartError::TooMany { max: limits.pieces };
    let pieces = match cart.line(&line) {
        Some(known) => known.quantity.plus(quantity).ok_or(too_many.clone())?,
        None if cart.lines.len() >= limits.lines => return Err(CartError::Full { max: limits.lines }),
        None => quantity,
    };
    if pieces.get() > limits.pieces {
        return Err(too_many);
    }
    check_total(cart, line, pieces)?;
    Ok(Event::Added { line, quantity })
}

fn set_quantity(cart: &Cart, line: LineKey, quantity: Quantity, limits: &Limits) -> Result<Event, CartError> {
    cart.line(&line).ok_or(CartError::NoSuchLine { line })?;
    if quantity.get() > limits.pieces {
        return Err(CartError::TooMany { max: limits.pieces });
    }
    check_total(cart, line, quantity)?;
    Ok(Event::QuantitySet { line, quantity })
}

/// The total must fit once `line` has `quantity` pieces.
fn check_total(cart: &Cart, line: LineKey, quantity: Quantity) -> Result<Money, MoneyError> {
    let first = line.price.unit.times(quantity)?;
    let others = cart.lines.iter().filter(|other| other.key() != line);
    others
        .map(|other| other.price.unit.times(other.quantity))
        .try_fold(first, |sum, amount| sum.plus(amount?))
}

fn freeze(cart: &Cart, key: &CheckoutKey, now: Timestamp) -> Result<Vec<Event>, CartError> {
    if cart.lines.is_empty() {
        return Err(CartError::Empty);
    }
    if cart.is_frozen(now) && cart.freeze.as_ref().is_some_and(|freeze| freeze.key == *key) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::Frozen(Freeze { key: key.clone(), until: now.after(FREEZE_LEASE) })])
}

fn thaw(cart: &Cart, key: &CheckoutKey) -> Result<Vec<Event>, CartError> {
    match &cart.freeze {
        Some(freeze) if freeze.key == *key => Ok(vec![Event::Thawed]),
        _ => Err(CartError::NotFrozen { key: key.clone() }),
    }
}

impl Cart {
    /// Makes an event so. Events come from [`decide`] on this very state.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Added { line, quantity } => match self.lines.iter_mut().find(|known| known.key() == *line)
            {
                Some(known) => known.quantity = known.quantity.plus(*quantity).unwrap_or(known.quantity),
                None => self.lines.push(Line { sku: line.sku, quantity: *quantity, price: line.price }),
            },
            Event::QuantitySet { line, quantity } => {
                for known in self.lines.iter_mut().filter(|known| known.key() == *line) {
                    known.quantity = *quantity;
                }
            }
            Event::Removed { line } => self.lines.retain(|known| known.key() != *line),
            Event::Cleared => self.lines.clear(),
            Event::Frozen(freeze) => self.freeze = Some(freeze.clone()),
            Event::Thawed => self.freeze = None,
            Event::CheckedOut => {
                self.lines.clear();
                self.freeze = None;
            }
        }
    }
}
