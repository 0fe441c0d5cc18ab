//! Order events, done by the shop's own rooms.
//!
//! **Invariant.** Each effect has a name of its own: an order that was placed elsewhere is checked out under a key made of
//! its partner and the partner's name for it, a step is taken from the status before it. So an event that is told again
//! changes nothing. Events of one order are done in their order; others run beside them.

use std::collections::HashMap;

use futures::StreamExt as _;
use pulse_core::order::{Channel, PaymentMethod, Status, Step};
use pulse_core::ports::PlaceError;
use pulse_core::{CartId, CheckoutKey, CommandId, OrderId, Principal, Quantity, Timestamp};
use pulse_data::DbError;
use pulse_data::feeds::{Counts, Entry, Fault, NewLetter, Reason};
use pulse_data::orders::{OrderError, Orders};
use pulse_fleet::{Checkout, FrontDoor, ShopError};
use sha2::{Digest as _, Sha256};

use super::cells::Happened;
use super::parse::{NewOrder, OrderEvent, OrderName};
use crate::replay::Passing as _;

/// Orders whose events are done at a time.
const AT_ONCE: usize = 16;

/// The rooms that events go through. Cheap to clone.
#[derive(Clone)]
pub(super) struct Events {
    pub(super) who: Principal,
    pub(super) door: FrontDoor,
    pub(super) orders: Orders,
}

/// The shop could not do an event, and the event is not to blame.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum EventError {
    /// What the database said.
    #[error(transparent)]
    Passing(#[from] DbError),
}

/// Whether an event changed something, or what stands against it.
type Done = Result<bool, Fault>;

impl Events {
    /// All of these. What was done when an error ends it is done again at the next try, and changes nothing then.
    pub(super) async fn all(
        &self,
        source: &str,
        rows: &[Entry<OrderEvent>],
    ) -> Result<(Counts, Vec<NewLetter>), EventError> {
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut by_order: Vec<Vec<&Entry<OrderEvent>>> = Vec::new();
        for entry in rows {
            let place = *places.entry(name(&entry.row.order)).or_insert(by_order.len());
            match by_order.get_mut(place) {
                Some(events) => events.push(entry),
                None => by_order.push(vec![entry]),
            }
        }
        let mut work = Vec::with_capacity(by_order.len());
        for events in by_order {
            work.push(self.in_order(source, events));
        }
        let done: Vec<_> = futures::stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
        let (mut counts, mut letters) = (Counts::default(), Vec::new());
        for result in done {
            let (more, dead) = result?;
            counts = counts.plus(more);
            letters.extend(dead);
        }
        Ok((counts, letters))
    }

    async fn in_order(
        &self,
        source: &str,
        events: Vec<&Entry<OrderEvent>>,
    ) -> Result<(Counts, Vec<NewLetter>), EventError> {
        let (mut counts, mut letters) = (Counts::default(), Vec::new());
        for entry in events {
            match self.one(source, &entry.row).await? {
                Ok(true) => counts.changed += 1,
                Ok(false) => counts.unchanged += 1,
                Err(fault) => letters.push(NewLetter::new(entry.place, &entry.text, false, vec![fault])),
            }
        }
        Ok((counts, letters))
    }

    /// One event.
    pub(super) async fn one(&self, source: &str, event: &OrderEvent) -> Result<Done, EventError> {
        match (&event.order, event.happened) {
            (OrderName::New(new), _) => self.place(source, new, event.at).await,
            (OrderName::Number(id), Happened::Step(step)) => self.step(*id, "order", step).await,
            (OrderName::Reference(reference), Happened::Step(step)) => {
                let found = match key(source, reference) {
                    Ok(key) => self.orders.find(&key).await?,
                    Err(fault) => return Ok(Err(fault)),
                };
                match found {
                    Some(order) => self.step(order.id, "reference", step).await,
                    None => Ok(Err(Fault::of(
                        Reason::UnknownOrder,
                        "reference",
                        "names an order that this source has not placed",
                    ))),
                }
            }
            (_, Happened::Placed) => {
                Ok(Err(Fault::of(Reason::Missing, "lines", "are needed of an order that was placed")))
            }
        }
    }

    async fn step(&self, id: OrderId, field: &'static str, step: Step) -> Result<Done, EventError> {
        let fault = |error: OrderError| refusal(error, field);
        let status = match self.orders.get(&self.who, id).await {
            Ok(detail) => detail.order.status,
            Err(error) => return fault(error),
        };
        if is_behind(status, step) {
            return Ok(Ok(false));
        }
        match self.orders.step(&self.who, id, step).await {
            Ok(_) => Ok(Ok(true)),
            Err(error) => fault(error),
        }
    }

    async fn place(&self, source: &str, new: &NewOrder, at: Timestamp) -> Result<Done, EventError> {
        let key = match key(source, &new.reference) {
            Ok(key) => key,
            Err(fault) => return Ok(Err(fault)),
        };
        if self.orders.find(&key).await?.is_some() {
            return Ok(Ok(false));
        }
        let cart = cart(source, new);
        for (n, (sku, pieces, price)) in (1..).zip(&new.lines) {
            let quantity = Quantity::new(*pieces);
            let quantity = match quantity {
                Ok(quantity) => quantity,
                Err(error) => return Ok(Err(Fault::of(Reason::Invalid, "lines", error.to_string()))),
            };
            if let Err(error) =
                self.door.quote_line(&self.who, cart, CommandId(n), *sku, quantity, *price).await
            {
                return said_no(&error);
            }
        }
        let checkout = Checkout {
            key,
            buyer: None,
            email: new.email.clone(),
            country: new.country.clone(),
            payment: PaymentMethod::OnAccount,
            channel: Channel::Web,
            placed_at: Some(at),
        };
        let placed = self.door.checkout(&self.who, cart, checkout).await;
        self.door.fleet().put_to_sleep(cart).await;
        match placed {
            Ok(_) => Ok(Ok(true)),
            Err(error) => said_no(&error),
        }
    }
}

/// Whether an order has this step behind it: telling it again is no news.
fn is_behind(status: Status, step: Step) -> bool {
    let after = match step {
        Step::Pay => Status::Paid,
        Step::Pack => Status::Packed,
        Step::Ship => Status::Shipped,
        Step::Deliver => Status::Delivered,
        Step::Cancel => return status == Status::Cancelled,
        Step::Return => return status == Status::Returned,
    };
    let life =
        [Status::Placed, Status::Paid, Status::Packed, Status::Shipped, Status::Delivered, Status::Returned];
    let place = |wanted| life.iter().position(|status| *status == wanted);
    place(status).is_some_and(|now| Some(now) >= place(after))
}

/// Under which name the events of an order belong together.
fn name(order: &OrderName) -> String {
    match order {
        OrderName::Number(id) => format!("#{id}"),
        OrderName::Reference(reference) => format!("={reference}"),
        OrderName::New(new) => format!("={}", new.reference),
    }
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The checkout of an order that a source has named.
fn key(source: &str, reference: &str) -> Result<CheckoutKey, Fault> {
    let hash = digest(&[source, reference]);
    let name: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    CheckoutKey::new(&format!("feed-{name}"))
        .map_err(|error| Fault::of(Reason::Invalid, "reference", error.to_string()))
}

/// Its cart. Other lines, as in a mended row, are another cart: what the first try has left in one is of no account.
fn cart(source: &str, new: &NewOrder) -> CartId {
    let lines = format!("{:?}", new.lines);
    let hash = digest(&["cart", source, &new.reference, &lines]);
    CartId(hash.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte)))
}

fn refusal(error: OrderError, field: &'static str) -> Result<Done, EventError> {
    let (reason, words) = match error {
        OrderError::Db(error) => return Err(error.into()),
        OrderError::NotFound(id) => {
            (Reason::UnknownOrder, format!("names order {id}, which the shop does not have"))
        }
        OrderError::WrongStep(wrong) => (Reason::WrongStep, wrong.to_string()),
        other => (Reason::Refused, other.to_string()),
    };
    let field = if reason == Reason::WrongStep { "event" } else { field };
    Ok(Err(Fault::of(reason, field, words)))
}

fn said_no(error: &ShopError) -> Result<Done, EventError> {
    if error.passes().is_some() {
        return Err(DbError::Unavailable(error.to_string()).into());
    }
    let (reason, words) = match error {
        ShopError::UnknownProduct(sku) => {
            (Reason::UnknownProduct, format!("name {sku}, which is not for sale"))
        }
        ShopError::Place(PlaceError::OutOfStock(short)) => {
            let short: Vec<String> = short
                .iter()
                .map(|s| format!("{} of {} are wanted, {} are there", s.wanted, s.sku, s.left))
                .collect();
            (Reason::OutOfStock, short.join("; "))
        }
        other => (Reason::Refused, other.to_string()),
    };
    Ok(Err(Fault::of(reason, "lines", words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_order_has_behind_it_is_no_news() {
        assert!(is_behind(Status::Shipped, Step::Ship) && is_behind(Status::Delivered, Step::Ship));
        assert!(is_behind(Status::Returned, Step::Deliver) && is_behind(Status::Cancelled, Step::Cancel));
        assert!(!is_behind(Status::Packed, Step::Ship) && !is_behind(Status::Paid, Step::Cancel));
        assert!(!is_behind(Status::Cancelled, Step::Ship), "that is a contradiction, for a person");
    }

    #[test]
    fn names_differ_by_source_and_reference() {
        let name = |source, reference| key(source, reference).unwrap();
        assert_ne!(name("a", "bc"), name("ab", "c"));
        assert_eq!(name("a", "7"), name("a", "7"));
    }
}
