//! Reading orders with their lines.
//!
//! **Invariant.** A page of orders costs two statements, however many orders and lines are on it, and the next page begins
//! behind the last number that was seen: an order that comes in meanwhile moves nothing.

use std::collections::HashMap;

use sea_orm::{DbErr, QueryResult};

use crate::db::{Db, Sql as _};
use crate::error::DbError;
use crate::order::{Line, Order, OrderId};

/// Orders a page, at most.
pub const PAGE: usize = 100;

/// Orders with numbers above `after`, in order of their numbers; at most `limit`, and at most [`PAGE`].
pub async fn page(db: &Db, after: Option<OrderId>, limit: usize) -> Result<Vec<Order>, DbError> {
    const FIND: &str =
        "SELECT id, key, buyer, total, cancelled FROM orders WHERE id > $1 ORDER BY id LIMIT $2";
    let limit = i64::try_from(limit.min(PAGE)).unwrap_or(i64::MAX);
    let after = after.map_or(0, |id| id.0);
    let rows = db.rows(FIND, vec![after.into(), limit.into()]).await?;
    let mut orders = rows.iter().map(order).collect::<Result<Vec<_>, DbErr>>()?;
    fill(db, &mut orders).await?;
    Ok(orders)
}

/// The order that this key has made.
pub async fn by_key(db: &Db, key: &str) -> Result<Option<Order>, DbError> {
    const FIND: &str = "SELECT id, key, buyer, total, cancelled FROM orders WHERE key = $1";
    let rows = db.rows(FIND, vec![key.into()]).await?;
    let mut orders = rows.iter().map(order).collect::<Result<Vec<_>, DbErr>>()?;
    fill(db, &mut orders).await?;
    Ok(orders.pop())
}

/// Reads the lines of orders into them.
async fn fill(db: &Db, orders: &mut [Order]) -> Result<(), DbError> {
    //>> fill
    //? A hundred orders on a page. How many times do you ask for lines?
    if orders.is_empty() {
        return Ok(());
    }
    let marks: Vec<String> = (1..=orders.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT order_id, sku, quantity, price FROM lines WHERE order_id IN ({}) ORDER BY order_id, sku",
        marks.join(", ")
    );
    let rows = db.rows(&sql, orders.iter().map(|order| order.id.0.into()).collect()).await?;
    let mut lines: HashMap<i64, Vec<Line>> = HashMap::new();
    for row in &rows {
        lines.entry(row.try_get_by_index(0)?).or_default().push(line(row)?);
    }
    for order in orders {
        order.lines = lines.remove(&order.id.0).unwrap_or_default();
    }
    Ok(())
    //<<
}

fn order(row: &QueryResult) -> Result<Order, DbErr> {
    Ok(Order {
        id: OrderId(row.try_get_by_index(0)?),
        key: row.try_get_by_index(1)?,
        buyer: row.try_get_by_index(2)?,
        total: row.try_get_by_index(3)?,
        cancelled: row.try_get_by_index(4)?,
        lines: Vec::new(),
    })
}

fn line(row: &QueryResult) -> Result<Line, DbErr> {
    Ok(Line {
        sku: row.try_get_by_index(1)?,
        quantity: row.try_get_by_index(2)?,
        price: row.try_get_by_index(3)?,
    })
}
