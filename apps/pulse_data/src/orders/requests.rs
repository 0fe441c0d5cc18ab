//! What buyers ask to give back: asked for, accepted or declined.
//!
//! **Invariant.** An order has one open request at most, made by its buyer; accepting books the goods, the credit note
//! and the refund in the same transaction, so a request never says "accepted" of goods that are not booked.

mod rows;

use std::fmt;
use std::sync::Arc;

use futures::FutureExt as _;
use pulse_core::order::{Step, WrongStep};
use pulse_core::{Money, OrderId, Permission, Principal, Quantity, Sku, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{OrderError, Orders, life, payments, read, returns};
use crate::page::{Cursor, Page};
use crate::{Tx, audit};

/// Requests that an order can have, decided ones too; whoever is declined that often has to write a letter.
pub const MOST_REQUESTS: i64 = 20;

/// Lines that a request can name.
pub const MOST_LINES: usize = 200;

/// Characters of a reason, the buyer's and the shop's.
pub const LONGEST_REASON: usize = 500;

/// Which request; the database counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub i64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a buyer asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskReturn {
    /// Goods of this order.
    pub order: OrderId,
    /// So many of which lines; the same line twice adds up.
    pub lines: Vec<(i64, Quantity)>,
    /// Why. 1 to [`LONGEST_REASON`] characters, white space around it taken off.
    pub reason: String,
}

/// A request as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnRequest {
    /// Its number.
    pub id: RequestId,
    /// Goods of this order.
    pub order: OrderId,
    /// Who asked: the order's buyer.
    pub buyer: UserId,
    /// Why.
    pub reason: String,
    /// When.
    pub asked_at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// What is to come back, by line.
    pub lines: Vec<RequestLine>,
}

/// A line of a [`ReturnRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// The order's line.
    pub line: i64,
    /// The product's code.
    pub sku: Sku,
    /// The product's name when it was sold.
    pub name: String,
    /// So many pieces.
    pub pieces: i64,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for an answer.
    Open,
    /// The goods are back.
    Accepted {
        /// The credit note's number.
        note: i64,
        /// The sum given back.
        refund: Money,
        /// When.
        at: Timestamp,
        /// By whom, as the audit names them.
        by: String,
    },
    /// They are not taken back.
    Declined {
        /// Why, for the buyer to read.
        answer: String,
        /// When.
        at: Timestamp,
        /// By whom, as the audit names them.
        by: String,
    },
}

impl Outcome {
    /// The name that is stored and shown.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted { .. } => "accepted",
            Self::Declined { .. } => "declined",
        }
    }
}

/// Which requests; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestQuery {
    /// Of everybody; needs the permission to see others' orders. Else one's own.
    pub everybody: bool,
    /// Only of this order.
    pub order: Option<OrderId>,
    /// Only those that wait for an answer.
    pub open: bool,
    /// Only older ones than this: the last page's `next`.
    pub after: Option<Cursor>,
    /// Rows a page; brought into what a [`Page`] may have.
    pub limit: u32,
}

impl Orders {
    /// A page of requests for returns, newest first: one's own, or with [`Permission::SeeOrders`] everybody's.
    pub async fn requests(
        &self,
        who: &Principal,
        query: &RequestQuery,
    ) -> Result<Page<ReturnRequest>, OrderError> {
        let buyer = if query.everybody {
            who.require(Permission::SeeOrders)?;
            None
        } else {
            match who.user() {
                Some(user) => Some(user),
                None => return Ok(Page { items: Vec::new(), next: None }),
            }
        };
        let after = query.after.as_ref().map(Cursor::key::<RequestId>).transpose()?;
        let found = rows::list(self.repo.reader(), buyer, query, after).await?;
        Ok(Page::of(found, query.limit, |last| last.id))
    }

    /// Asks for goods of one's own order to go back. It must be shipped or delivered, and have no request that is open.
    pub async fn ask_return(&self, who: &Principal, ask: AskReturn) -> Result<ReturnRequest, OrderError> {
        let ask = AskReturn { reason: text("reason", &ask.reason)?, ..ask };
        if ask.lines.len() > MOST_LINES {
            return Err(OrderError::Invalid { field: "lines", message: "must be 200 at most" });
        }
        let input = (who.clone(), Arc::new(ask), self.clock.now());
        let asked =
            self.repo.write_with(input, |tx, (who, ask, now)| open(tx, who, ask, *now).boxed()).await?;
        self.tell_looked_up(asked.order).await;
        Ok(asked)
    }

    /// Takes back what was asked for: credit note, stock, and the refund's job. Needs [`Permission::TakeReturns`].
    pub async fn accept_return(&self, who: &Principal, id: RequestId) -> Result<ReturnRequest, OrderError> {
        who.require(Permission::TakeReturns)?;
        let input = (who.clone(), id, self.clock.now());
        let accepted =
            self.repo.write_with(input, |tx, (who, id, now)| accept(tx, who, *id, *now).boxed()).await?;
        self.tell_lines(accepted.order).await;
        self.tell_looked_up(accepted.order).await;
        Ok(accepted)
    }

    /// Does not take back what was asked for, and says why. Needs [`Permission::TakeReturns`].
    pub async fn decline_return(
        &self,
        who: &Principal,
        id: RequestId,
        answer: &str,
    ) -> Result<ReturnRequest, OrderError> {
        who.require(Permission::TakeReturns)?;
        let input = (who.clone(), id, text("answer", answer)?, self.clock.now());
        let declined = self
            .repo
            .write_with(input, |tx, (who, id, answer, now)| decline(tx, who, *id, answer, *now).boxed())
            .await?;
        self.tell_looked_up(declined.order).await;
        Ok(declined)
    }
}

fn text(field: &'static str, text: &str) -> Result<String, OrderError> {
    let text = text.trim();
    if !(1..=LONGEST_REASON).contains(&text.chars().count()) || text.contains('\0') {
        return Err(OrderError::Invalid { field, message: "must have 1 to 500 characters" });
    }
    Ok(text.to_owned())
}

async fn open(
    tx: &Tx,
    who: &Principal,
    ask: &AskReturn,
    now: Timestamp,
) -> Result<ReturnRequest, OrderError> {
    let order = read::lock(tx, ask.order).await?.filter(|order| life::sees(who, order));
    let order = order.ok_or(OrderError::NotFound(ask.order))?;
    // Whoever only sees the order takes goods back directly, and asks nobody.
    let buyer = who.user().filter(|_| life::owns(who, &order)).ok_or(OrderError::NotFound(ask.order))?;
    if order.status.after(Step::Return).is_err() {
        return Err(WrongStep { from: order.status, step: Step::Return }.into());
    }
    let lines = read::lines(tx, order.id, order.total.currency).await?;
    let wanted = returns::wanted(&order, &lines, &ask.lines)?;
    let counts = rows::counts(tx, order.id).await?;
    if counts.open > 0 {
        return Err(OrderError::ReturnAsked(order.id));
    }
    if counts.all >= MOST_REQUESTS {
        return Err(OrderError::TooManyRequests(order.id));
    }
    let id = rows::insert(tx, order.id, buyer, &ask.reason, now, &wanted).await?;
    let details = json!({ "request": id, "lines": wanted.iter().collect::<Vec<_>>() });
    audit::record(tx, who, "return.ask", &format!("order:{}", order.id), details).await?;
    rows::find(tx, id).await?.ok_or(OrderError::NoRequest(id))
}

/// The request, still open, with its order's row held: decisions on one order come one after the other.
async fn held(tx: &Tx, id: RequestId) -> Result<(ReturnRequest, read::Order), OrderError> {
    let order = rows::order_of(tx, id).await?.ok_or(OrderError::NoRequest(id))?;
    let order = payments::held(tx, order).await?;
    let request = rows::find(tx, id).await?.ok_or(OrderError::NoRequest(id))?;
    match request.outcome {
        Outcome::Open => Ok((request, order)),
        Outcome::Accepted { .. } | Outcome::Declined { .. } => Err(OrderError::RequestDecided(id)),
    }
}

async fn accept(
    tx: &Tx,
    who: &Principal,
    id: RequestId,
    now: Timestamp,
) -> Result<ReturnRequest, OrderError> {
    let (request, order) = held(tx, id).await?;
    let goods = request
        .lines
        .iter()
        .filter_map(|line| Some((line.line, Quantity::new(line.pieces).ok()?)))
        .collect::<Vec<_>>();
    // No client's key begins like this: those stand behind "order:".
    let note = returns::of_order(tx, who, order, &format!("request:{id}"), &goods, now).await?;
    rows::decide(tx, id, "accepted", Some(note.id), None, who, now).await?;
    let subject = format!("order:{}", request.order);
    audit::record(tx, who, "return.accept", &subject, json!({ "request": id, "note": note.id })).await?;
    rows::find(tx, id).await?.ok_or(OrderError::NoRequest(id))
}

async fn decline(
    tx: &Tx,
    who: &Principal,
    id: RequestId,
    answer: &str,
    now: Timestamp,
) -> Result<ReturnRequest, OrderError> {
    let (request, order) = held(tx, id).await?;
    rows::decide(tx, request.id, "declined", None, Some(answer), who, now).await?;
    let subject = format!("order:{}", order.id);
    audit::record(tx, who, "return.decline", &subject, json!({ "request": id })).await?;
    rows::find(tx, id).await?.ok_or(OrderError::NoRequest(id))
}
