//! Orders: checkout, life, returns, money, and what is told of them.
//!
//! **Invariant.** Every public action names its principal and checks one permission or the ownership of the order; its
//! audit row commits with it. A buyer is never told whether another's order exists.

mod letter;
mod life;
mod news;
mod overdue;
mod payments;
mod place;
mod read;
mod report;
mod requests;
mod returns;
mod sales;

use std::sync::Arc;

use futures::FutureExt as _;
use pulse_core::access::Forbidden;
use pulse_core::order::{PlaceOrder, PlacedOrder, Step, WrongStep};
use pulse_core::ports::{Bus, Charge, Clock, NoBus, Notice, OrderDesk, PlaceError, PortFuture, StoreError};
use pulse_core::{CheckoutKey, MoneyError, OrderId, Permission, Principal, Sku, Timestamp};

use sea_orm::ConnectionTrait;

pub use overdue::CALL_OFF_WORKER;
pub use payments::{
    ATTEMPTS as PAYMENT_ATTEMPTS, CAPTURE_SEQ, CAPTURE_WORKER, Demand, Kind as PaymentKind, Payment,
    PaymentState, REFUND_WORKER, demand_of,
};
pub use read::{CreditNote, Order, OrderDetail, OrderEvent, OrderLine, OrderQuery};
pub use report::{ReplayFigures, StockBalance};
pub use requests::{
    AskReturn, LONGEST_REASON, MOST_LINES as MOST_RETURN_LINES, MOST_REQUESTS, Outcome, RequestId,
    RequestLine, RequestQuery, ReturnRequest,
};
pub use returns::{BooksLine, BooksReturn, GoodsBack};
pub use sales::{Minute, Sales};

use crate::catalog::Changes;
use crate::page::{InvalidCursor, Page};
use crate::{DbError, Repo};

/// Why an order was not shown or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OrderError {
    /// There is no such order, or it is another buyer's.
    #[error("there is no order {0}")]
    NotFound(OrderId),
    /// The principal may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The order does not stand where the step begins.
    #[error(transparent)]
    WrongStep(#[from] WrongStep),
    /// More is to come back than was sold and is not back yet.
    #[error("line {line} can give back at most {left} pieces, not {wanted}")]
    TooManyBack {
        /// Which line; one that the order does not have gives back nothing.
        line: i64,
        /// How many were to come back.
        wanted: i64,
        /// How many can.
        left: i64,
    },
    /// A return without lines, or of an order that is back already.
    #[error("nothing of order {0} is to come back: name at least one line")]
    NothingToReturn(OrderId),
    /// The name of the return is taken by a return of another order.
    #[error("this key was already used for another return: draw a new one")]
    KeyReused,
    /// A request for a return waits for its answer.
    #[error("a return of order {0} is asked for already: wait for the answer")]
    ReturnAsked(OrderId),
    /// More requests for returns than [`MOST_REQUESTS`].
    #[error("returns of order {0} were asked for too often: write to us")]
    TooManyRequests(OrderId),
    /// There is no such request for a return.
    #[error("there is no request {0} for a return")]
    NoRequest(RequestId),
    /// The request was answered by somebody else meanwhile.
    #[error("the request {0} for a return is answered already: look at it again")]
    RequestDecided(RequestId),
    /// A field has a value that can't be stored.
    #[error("{field} {message}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        message: &'static str,
    },
    /// Goods came back that the catalogue has never heard of.
    #[error("there is no product {0}: deliver it first, if only with 0 pieces")]
    UnknownProduct(Sku),
    /// The cursor is of another list.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// A sum does not fit.
    #[error("the refund can't be computed: {0}")]
    Money(#[from] MoneyError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<DbError> for PlaceError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// The context of orders. Cheap to clone.
#[derive(Clone)]
pub struct Orders {
    repo: Repo,
    changes: Changes,
    clock: Arc<dyn Clock>,
    /// Told of every order that was placed or moved on.
    bus: Arc<dyn Bus>,
}

impl Orders {
    /// Orders of a database. `changes` is the catalogue's: a sale changes the stock.
    pub fn new(repo: Repo, changes: Changes, clock: Arc<dyn Clock>) -> Self {
        Self { repo, changes, clock, bus: Arc::new(NoBus) }
    }

    /// The same, telling a bus of every order that was placed or has moved on.
    pub fn telling(self, bus: Arc<dyn Bus>) -> Self {
        Self { bus, ..self }
    }

    /// Turns a frozen cart into an order; see [`OrderDesk::place`].
    ///
    /// Needs [`Permission::PlaceOrder`]; for quoted lines and orders on account also [`Permission::QuotePrice`]; for
    /// another buyer [`Permission::FulfilOrders`]; for a replayed invoice [`Permission::RunFeeds`].
    pub async fn place(&self, who: &Principal, order: PlaceOrder) -> Result<PlacedOrder, PlaceError> {
        place::permit(who, &order)?;
        let draft = Arc::new(place::Draft::new(who, order)?);
        let outcome =
            self.repo.write_with(Arc::clone(&draft), |tx, draft| place::place(tx, draft).boxed()).await?;
        match outcome {
            place::Outcome::Placed(placed) => {
                self.changes.tell(draft.skus());
                self.bus.tell(Notice::Order { id: placed.id, buyer: placed.buyer, status: placed.status });
                Ok(placed)
            }
            place::Outcome::Repeated(placed) => Ok(placed),
        }
    }

    /// The order that a checkout made. Whoever knows the key may ask.
    pub async fn find(&self, key: &CheckoutKey) -> Result<Option<PlacedOrder>, DbError> {
        read::receipt(self.repo.reader(), key).await
    }

    /// One order with everything that belongs to it: one's own, or with [`Permission::SeeOrders`] anybody's.
    pub async fn get(&self, who: &Principal, id: OrderId) -> Result<OrderDetail, OrderError> {
        let db = self.repo.reader();
        let order = read::find(db, id).await?.filter(|order| life::sees(who, order));
        Ok(read::detail(db, order.ok_or(OrderError::NotFound(id))?).await?)
    }

    /// A page of orders, newest first: one's own, or with [`Permission::SeeOrders`] everybody's.
    pub async fn list(&self, who: &Principal, query: &OrderQuery) -> Result<Page<Order>, OrderError> {
        let buyer = if query.everybody {
            who.require(Permission::SeeOrders)?;
            None
        } else {
            match who.user() {
                Some(user) => Some(user),
                None => return Ok(Page { items: Vec::new(), next: None }),
            }
        };
        let orders = read::list(self.repo.reader(), buyer, query).await??;
        Ok(Page::of(orders, query.limit, |last| last.id))
    }

    /// What was sold after an order, cheaply again and again. Needs [`Permission::SeeOrders`].
    pub async fn sales_after(&self, who: &Principal, after: OrderId) -> Result<Sales, OrderError> {
        who.require(Permission::SeeOrders)?;
        Ok(sales::after(self.repo.reader(), after).await?)
    }

    /// The minutes since then in which something was sold, in order. Needs [`Permission::SeeOrders`].
    pub async fn minutes(&self, who: &Principal, since: Timestamp) -> Result<Vec<Minute>, OrderError> {
        who.require(Permission::SeeOrders)?;
        Ok(sales::minutes(self.repo.reader(), since).await?)
    }

    /// Moves an order on.
    ///
    /// A buyer may cancel its own order until it is packed; [`Permission::FulfilOrders`] packs, ships, delivers and
    /// cancels; [`Permission::TakeReturns`] takes everything back; only the shop itself says that it is paid.
    pub async fn step(&self, who: &Principal, id: OrderId, step: Step) -> Result<Order, OrderError> {
        let now = self.clock.now();
        let moved = self
            .repo
            .write_with((who.clone(), id, step, now), |tx, (who, id, step, now)| {
                async move {
                    let order = read::lock(tx, *id).await?.filter(|order| life::sees(who, order));
                    let order = order.ok_or(OrderError::NotFound(*id))?;
                    life::permit(who, &order, *step)?;
                    life::step(tx, who, order, *step, *now).await
                }
                .boxed()
            })
            .await?;
        if matches!(step, Step::Cancel | Step::Return) {
            self.tell_lines(id).await;
        }
        self.tell_order(&moved);
        Ok(moved)
    }

    /// Gives up a guest's order for whoever holds its key, until it is packed, as a buyer may its own. `None` where no
    /// guest's order has that key: an account's order is given up by its account.
    pub async fn cancel_by_key(&self, key: &CheckoutKey) -> Result<Option<Order>, OrderError> {
        let cancelled = self
            .repo
            .write_with((key.clone(), self.clock.now()), |tx, (key, now)| {
                async move {
                    let Some(receipt) = read::receipt(tx, key).await? else { return Ok(None) };
                    let order = read::lock(tx, receipt.id).await?.filter(|order| order.buyer.is_none());
                    let Some(order) = order else { return Ok(None) };
                    if !life::is_loose(order.status) {
                        return Err(WrongStep { from: order.status, step: Step::Cancel }.into());
                    }
                    life::step(tx, &Principal::Guest, order, Step::Cancel, *now).await.map(Some)
                }
                .boxed()
            })
            .await?;
        if let Some(order) = &cancelled {
            self.tell_lines(order.id).await;
            self.tell_order(order);
        }
        Ok(cancelled)
    }

    /// Takes goods of an order back: a credit note, stock, and the refund's job. Needs [`Permission::TakeReturns`].
    /// All of an order back makes it returned. The same key answers the same note.
    pub async fn return_goods(&self, who: &Principal, goods: GoodsBack) -> Result<CreditNote, OrderError> {
        who.require(Permission::TakeReturns)?;
        if !(1..=128).contains(&goods.key.len()) || goods.key.contains('\0') {
            return Err(OrderError::Invalid { field: "key", message: "must have 1 to 128 characters" });
        }
        let (id, now) = (goods.order, self.clock.now());
        let note = self
            .repo
            .write_with((who.clone(), goods, now), |tx, (who, goods, now)| {
                async move {
                    let order = payments::held(tx, goods.order).await?;
                    let note_key = format!("order:{}", goods.key);
                    returns::of_order(tx, who, order, &note_key, &goods.lines, *now).await
                }
                .boxed()
            })
            .await?;
        self.tell_lines(id).await;
        self.tell_looked_up(id).await;
        Ok(note)
    }

    /// Books a return from another shop's books; lines that are booked already change nothing. Needs
    /// [`Permission::TakeReturns`] and [`Permission::RunFeeds`].
    pub async fn return_from_books(
        &self,
        who: &Principal,
        books: BooksReturn,
    ) -> Result<CreditNote, OrderError> {
        who.require(Permission::TakeReturns)?;
        who.require(Permission::RunFeeds)?;
        if !(1..=60).contains(&books.country.chars().count()) || books.country.contains('\0') {
            return Err(OrderError::Invalid { field: "country", message: "must have 1 to 60 characters" });
        }
        let books = Arc::new(books);
        let note = self
            .repo
            .write_with((who.clone(), Arc::clone(&books)), |tx, (who, books)| {
                returns::of_books(tx, who, books).boxed()
            })
            .await?;
        self.changes.tell(books.lines.iter().map(|line| line.sku));
        Ok(note)
    }

    /// What a payment job is to tell the gateway; `None` where there is nothing (any more) to move.
    pub async fn charge(&self, who: &Principal, demand: Demand) -> Result<Option<Charge>, OrderError> {
        self.demand(who, demand, false).await
    }

    /// [`charge`](Self::charge) for a demand that the gateway may have got before, by an attempt that ended without
    /// an answer: one that was called off since is still sent, because its money may have moved.
    pub async fn charge_sent_before(
        &self,
        who: &Principal,
        demand: Demand,
    ) -> Result<Option<Charge>, OrderError> {
        self.demand(who, demand, true).await
    }

    async fn demand(
        &self,
        who: &Principal,
        demand: Demand,
        sent_before: bool,
    ) -> Result<Option<Charge>, OrderError> {
        system(who)?;
        let db = self.repo.reader();
        let order = read::find(db, demand.order).await?.ok_or(OrderError::NotFound(demand.order))?;
        payments::charge(db, &order, demand.payment, sent_before).await
    }

    /// The gateway has moved the money: a captured order is paid. Again changes nothing. Money for an order that was
    /// given up meanwhile goes back by a job.
    pub async fn settled(
        &self,
        who: &Principal,
        demand: Demand,
        reference: &str,
    ) -> Result<Order, OrderError> {
        system(who)?;
        let input = (who.clone(), demand, reference.to_owned(), self.clock.now());
        let order = self
            .repo
            .write_with(input, |tx, (who, demand, reference, now)| {
                async move {
                    let order = payments::held(tx, demand.order).await?;
                    payments::settled(tx, who, order, demand.payment, Some(reference), *now).await
                }
                .boxed()
            })
            .await?;
        self.tell_order(&order);
        Ok(order)
    }

    /// The gateway never will: an order that can't be paid is given up, its stock goes back.
    pub async fn declined(&self, who: &Principal, demand: Demand, reason: &str) -> Result<Order, OrderError> {
        system(who)?;
        let input = (who.clone(), demand, reason.to_owned(), self.clock.now());
        let order = self
            .repo
            .write_with(input, |tx, (who, demand, reason, now)| {
                async move {
                    let order = payments::held(tx, demand.order).await?;
                    payments::declined(tx, who, order, demand.payment, reason, *now).await
                }
                .boxed()
            })
            .await?;
        self.tell_lines(demand.order).await;
        self.tell_order(&order);
        Ok(order)
    }

    /// The gateway is about to be asked for the last time: noted in the audit trail first, for a person to find out
    /// where no later row of the order says how that ended.
    pub async fn unresolved(&self, who: &Principal, demand: Demand, error: &str) -> Result<(), OrderError> {
        system(who)?;
        self.repo
            .write_with((who.clone(), demand, error.to_owned()), |tx, (who, demand, error)| {
                async move {
                    let order = payments::held(tx, demand.order).await?;
                    payments::unresolved(tx, who, &order, demand.payment, error).await
                }
                .boxed()
            })
            .await
    }

    /// What was replayed so far. Needs [`Permission::RunFeeds`].
    pub async fn replay_figures(&self, who: &Principal) -> Result<ReplayFigures, OrderError> {
        who.require(Permission::RunFeeds)?;
        Ok(report::figures(self.repo.reader()).await?)
    }

    /// Why each product has the stock that it has. Needs [`Permission::ManageStock`].
    pub async fn stock_balance(&self, who: &Principal) -> Result<Vec<StockBalance>, OrderError> {
        who.require(Permission::ManageStock)?;
        Ok(report::balance(self.repo.reader()).await?)
    }

    fn tell_order(&self, order: &Order) {
        self.bus.tell(Notice::Order { id: order.id, buyer: order.buyer, status: order.status });
    }

    /// The same where only its number is at hand.
    async fn tell_looked_up(&self, id: OrderId) {
        match read::find(self.repo.reader(), id).await {
            Ok(Some(order)) => self.tell_order(&order),
            Ok(None) => {}
            Err(error) => tracing::warn!(order = id.0, %error, "a change of an order was not announced"),
        }
    }

    /// Tells which products an order is about. What was done is done: a failure here is no failure of it.
    async fn tell_lines(&self, id: OrderId) {
        match read::skus(self.repo.reader(), id).await {
            Ok(skus) => self.changes.tell(skus),
            Err(error) => tracing::warn!(order = id.0, %error, "a change of stock was not announced"),
        }
    }
}

/// A checkout on a caller's own connection, without its transaction: for a benchmark that records the statements.
#[doc(hidden)]
pub async fn place_on(
    db: &impl ConnectionTrait,
    who: &Principal,
    order: PlaceOrder,
) -> Result<PlacedOrder, PlaceError> {
    place::permit(who, &order)?;
    match place::place(db, &place::Draft::new(who, order)?).await? {
        place::Outcome::Placed(placed) | place::Outcome::Repeated(placed) => Ok(placed),
    }
}

/// Money is moved by the shop itself and nobody else.
fn system(who: &Principal) -> Result<(), Forbidden> {
    match who {
        Principal::System(_) => Ok(()),
        Principal::Guest | Principal::User { .. } => Err(Forbidden { permission: Permission::FulfilOrders }),
    }
}

impl OrderDesk for Orders {
    fn find(&self, key: &CheckoutKey) -> PortFuture<'_, Result<Option<PlacedOrder>, StoreError>> {
        let key = key.clone();
        Box::pin(async move { Ok(Self::find(self, &key).await?) })
    }

    fn place(&self, who: &Principal, order: PlaceOrder) -> PortFuture<'_, Result<PlacedOrder, PlaceError>> {
        let who = who.clone();
        Box::pin(async move { Self::place(self, &who, order).await })
    }
}
