//! Orders as they are seen: receipts, lists, and one order with everything that belongs to it.
//!
//! **Invariant.** A buyer sees its own orders and nobody else's: another's id is answered like one that does not exist.

use pulse_core::cart::Basis;
use pulse_core::order::{PaymentMethod, PlacedOrder, Status};
use pulse_core::{CartId, CheckoutKey, Currency, InvalidId, Money, OrderId, Sku, Timestamp, UserId};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Value};

use super::payments::{self, Payment};
use crate::catalog::product::{basis_from_name, currency, sku};
use crate::page::{Cursor, InvalidCursor, Page};
use crate::{DbError, Sql as _};

/// An order without its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// The checkout that made it.
    pub key: CheckoutKey,
    /// The cart that it was.
    pub cart: CartId,
    /// Whose it is; a guest's has nobody.
    pub buyer: Option<UserId>,
    /// Where its mails go.
    pub email: Option<String>,
    /// Where it goes.
    pub country: String,
    /// How it is paid.
    pub payment: PaymentMethod,
    /// The invoice in another shop's books that was replayed.
    pub invoice: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Quantities times prices.
    pub subtotal: Money,
    /// What promotions took off.
    pub discount: Money,
    /// The VAT that the total includes.
    pub vat: Money,
    /// What is to be paid.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Counts the steps of its life.
    pub version: i64,
}

/// Some pieces of a product at a price, as they were sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// Its number within the order, from 1.
    pub line: i64,
    /// The product's code.
    pub sku: Sku,
    /// The product's name at that time.
    pub name: String,
    /// Pieces sold.
    pub quantity: i64,
    /// The price of one.
    pub unit: Money,
    /// Who set the price.
    pub basis: Basis,
    /// Pieces that came back.
    pub returned: i64,
}

/// A step that an order has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEvent {
    /// Where it stood from then on.
    pub status: Status,
    /// Who did it, as the audit names them.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// Goods that came back, and what was given back for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNote {
    /// Its number.
    pub id: i64,
    /// The name under which it was booked.
    pub key: String,
    /// The order that the goods were of, where that is known.
    pub order: Option<OrderId>,
    /// The sum given back.
    pub refund: Money,
    /// When the goods came.
    pub returned_at: Timestamp,
}

/// One order with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDetail {
    /// The order.
    pub order: Order,
    /// Its lines, by number.
    pub lines: Vec<OrderLine>,
    /// Its life so far, oldest first.
    pub events: Vec<OrderEvent>,
    /// Its payment intent and its refunds.
    pub payments: Vec<Payment>,
    /// What came back of it.
    pub notes: Vec<CreditNote>,
}

/// Which orders; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderQuery {
    /// Of everybody; needs the permission to see others' orders. Else one's own.
    pub everybody: bool,
    /// Only those that stand there.
    pub status: Option<Status>,
    /// Only older ones than this: the last page's `next`.
    pub after: Option<Cursor>,
    /// Rows a page; brought into what a [`Page`](crate::page::Page) may have.
    pub limit: u32,
}

const COLUMNS: &str = "id, checkout_key, buyer, email, country, payment, invoice, status, currency, subtotal_pence, \
                       discount_pence, vat_pence, total_pence, placed_at, version, cart_id";

fn order(row: &QueryResult) -> Result<Order, DbError> {
    let currency = currency(&row.try_get_by_index::<String>(8)?)?;
    let money =
        |index| -> Result<Money, DbError> { Ok(Money { pence: row.try_get_by_index(index)?, currency }) };
    let key: String = row.try_get_by_index(1)?;
    let cart: String = row.try_get_by_index(15)?;
    let payment: String = row.try_get_by_index(5)?;
    Ok(Order {
        id: OrderId(row.try_get_by_index(0)?),
        key: CheckoutKey::new(&key).map_err(|error| DbError::Corrupt(error.to_string()))?,
        cart: cart.parse().map_err(|error: InvalidId| DbError::Corrupt(error.to_string()))?,
        buyer: row.try_get_by_index::<Option<i64>>(2)?.map(UserId),
        email: row.try_get_by_index(3)?,
        country: row.try_get_by_index(4)?,
        payment: PaymentMethod::from_name(&payment)
            .ok_or_else(|| DbError::Corrupt(format!("{payment:?} is no payment method")))?,
        invoice: row.try_get_by_index(6)?,
        status: status(&row.try_get_by_index::<String>(7)?)?,
        subtotal: money(9)?,
        discount: money(10)?,
        vat: money(11)?,
        total: money(12)?,
        placed_at: Timestamp(row.try_get_by_index(13)?),
        version: row.try_get_by_index(14)?,
    })
}

fn status(name: &str) -> Result<Status, DbError> {
    Status::from_name(name).ok_or_else(|| DbError::Corrupt(format!("{name:?} is no order status")))
}

/// The receipt of a checkout.
pub(super) async fn receipt(
    db: &impl ConnectionTrait,
    key: &CheckoutKey,
) -> Result<Option<PlacedOrder>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM orders WHERE checkout_key = $1");
    let Some(row) = db.row(&sql, vec![key.as_str().into()]).await? else {
        return Ok(None);
    };
    let Order { id, key, cart, buyer, status, total, placed_at, .. } = order(&row)?;
    Ok(Some(PlacedOrder { id, key, cart, buyer, status, total, placed_at }))
}

/// The order of that number.
pub(super) async fn find(db: &impl ConnectionTrait, id: OrderId) -> Result<Option<Order>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM orders WHERE id = $1");
    db.row(&sql, vec![id.0.into()]).await?.as_ref().map(order).transpose()
}

/// The order of that number, held until the transaction ends.
pub(super) async fn lock(tx: &impl ConnectionTrait, id: OrderId) -> Result<Option<Order>, DbError> {
    // SQLite has one writer anyway.
    let hold = if tx.get_database_backend() == DbBackend::Postgres { "FOR UPDATE" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM orders WHERE id = $1 {hold}");
    tx.row(&sql, vec![id.0.into()]).await?.as_ref().map(order).transpose()
}

/// One page of orders, newest first, of one buyer or of all; one row more than asked for where there are more.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    buyer: Option<UserId>,
    query: &OrderQuery,
) -> Result<Result<Vec<Order>, InvalidCursor>, DbError> {
    let after = match query.after.as_ref().map(Cursor::key::<OrderId>).transpose() {
        Ok(after) => after,
        Err(invalid) => return Ok(Err(invalid)),
    };
    let mut wheres: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut compare = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.push(value);
            wheres.push(format!("{condition} ${}", values.len()));
        }
    };
    compare("buyer =", buyer.map(|buyer| buyer.0.into()));
    compare("status =", query.status.map(|status| status.name().into()));
    compare("id <", after.map(|id| id.0.into()));
    let wheres = if wheres.is_empty() { "TRUE".to_owned() } else { wheres.join(" AND ") };
    values.push(Page::<Order>::fetch(query.limit).into());
    let sql = format!("SELECT {COLUMNS} FROM orders WHERE {wheres} ORDER BY id DESC LIMIT ${}", values.len());
    let rows = db.rows(&sql, values).await?;
    rows.iter().map(order).collect::<Result<Vec<_>, _>>().map(Ok)
}

/// An order's lines, by number.
pub(super) async fn lines(
    db: &impl ConnectionTrait,
    id: OrderId,
    currency: Currency,
) -> Result<Vec<OrderLine>, DbError> {
    let sql = "SELECT line_no, sku, name, quantity, unit_pence, basis, returned FROM order_lines \
               WHERE order_id = $1 ORDER BY line_no";
    let rows = db.rows(sql, vec![id.0.into()]).await?;
    rows.iter()
        .map(|row| {
            let basis: String = row.try_get_by_index(5)?;
            Ok(OrderLine {
                line: row.try_get_by_index(0)?,
                sku: sku(&row.try_get_by_index::<String>(1)?)?,
                name: row.try_get_by_index(2)?,
                quantity: row.try_get_by_index(3)?,
                unit: Money { pence: row.try_get_by_index(4)?, currency },
                basis: basis_from_name(&basis)
                    .ok_or_else(|| DbError::Corrupt(format!("{basis:?} is no basis of a price")))?,
                returned: row.try_get_by_index(6)?,
            })
        })
        .collect()
}

/// The products of an order.
pub(super) async fn skus(db: &impl ConnectionTrait, id: OrderId) -> Result<Vec<Sku>, DbError> {
    let sql = "SELECT DISTINCT sku FROM order_lines WHERE order_id = $1";
    let rows = db.rows(sql, vec![id.0.into()]).await?;
    rows.iter().map(|row| sku(&row.try_get_by_index::<String>(0)?)).collect()
}

/// Everything that belongs to an order.
pub(super) async fn detail(db: &impl ConnectionTrait, order: Order) -> Result<OrderDetail, DbError> {
    let (id, currency) = (order.id, order.total.currency);
    let lines = lines(db, id, currency).await?;
    let sql = "SELECT status, who, at FROM order_events WHERE order_id = $1 ORDER BY version";
    let events = db.rows(sql, vec![id.0.into()]).await?;
    let events = events
        .iter()
        .map(|row| {
            Ok(OrderEvent {
                status: status(&row.try_get_by_index::<String>(0)?)?,
                who: row.try_get_by_index(1)?,
                at: Timestamp(row.try_get_by_index(2)?),
            })
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    let payments = payments::of(db, id, currency).await?;
    let sql = format!("SELECT {NOTE_COLUMNS} FROM credit_notes WHERE order_id = $1 ORDER BY id");
    let notes = db.rows(&sql, vec![id.0.into()]).await?;
    let notes = notes.iter().map(note).collect::<Result<Vec<_>, _>>()?;
    Ok(OrderDetail { order, lines, events, payments, notes })
}

const NOTE_COLUMNS: &str = "id, note_key, order_id, refund_pence, currency, returned_at";

fn note(row: &QueryResult) -> Result<CreditNote, DbError> {
    Ok(CreditNote {
        id: row.try_get_by_index(0)?,
        key: row.try_get_by_index(1)?,
        order: row.try_get_by_index::<Option<i64>>(2)?.map(OrderId),
        refund: Money {
            pence: row.try_get_by_index(3)?,
            currency: currency(&row.try_get_by_index::<String>(4)?)?,
        },
        returned_at: Timestamp(row.try_get_by_index(5)?),
    })
}

/// The note of that key.
pub(super) async fn note_of(db: &impl ConnectionTrait, key: &str) -> Result<Option<CreditNote>, DbError> {
    let sql = format!("SELECT {NOTE_COLUMNS} FROM credit_notes WHERE note_key = $1");
    db.row(&sql, vec![key.into()]).await?.as_ref().map(note).transpose()
}
