//! The checkout: from checked lines to an order with its pieces, in one transaction.
//!
//! **Invariant.** A key makes one order at most, however often and however many at once send it; the last piece goes to
//! one buyer; who is refused has changed nothing.

use std::sync::Arc;

use futures::FutureExt as _;

use crate::db::{Db, Sql as _, Tx};
use crate::error::DbError;
use crate::list;
use crate::multi::{Multi, MultiError, StepError};
use crate::order::{Line, NewOrder, Order, OrderId};

/// Why no order was placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// There is not enough of these: how many there are of each.
    #[error("not enough in stock of {} product(s)", .0.len())]
    Short(Vec<Shortage>),
    /// Another order was placed under this key.
    #[error("this key was used for another order: draw a new one")]
    KeyReused,
    /// The database failed. Whether the order exists is unknown: send it again under the same key.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A line that can't be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The product's code.
    pub sku: String,
    /// Pieces that there are; 0 too where there is no such product.
    pub available: i64,
}

impl StepError for PlaceError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Db(DbError::Conflict(_)))
    }
}

/// What the steps hand on to each other.
#[derive(Debug, Clone, Default)]
struct Placing {
    id: i64,
    lines: Vec<Line>,
}

/// Places an order, or answers the one that its key has made before.
pub async fn place(db: &Db, new: &NewOrder) -> Result<Order, PlaceError> {
    //>> place
    //? The same order twice in the same instant: both find nothing under the key. What happens then, and what do you answer?
    //? And if the first of the two took the last piece?
    if let Some(known) = list::by_key(db, new.key()).await? {
        return same(new, known);
    }
    let may_have_lost = |error: &PlaceError| match error {
        PlaceError::Short(_) => true,
        PlaceError::Db(error) => error.violates("uq_orders_key"),
        PlaceError::KeyReused => false,
    };
    match steps(new).run(db, Placing::default()).await {
        Ok(placed) => {
            let total = total(&placed.lines);
            let (key, buyer) = (new.key().to_owned(), new.buyer().to_owned());
            Ok(Order { id: OrderId(placed.id), key, buyer, total, cancelled: false, lines: placed.lines })
        }
        // Somebody was faster with the same key, and perhaps with the last pieces for it. That order is committed: the
        // constraint or the product's row would have waited for it.
        Err(MultiError { error, .. }) if may_have_lost(&error) => {
            let known = list::by_key(db, new.key()).await?;
            known.map_or(Err(error), |known| same(new, known))
        }
        Err(failed) => Err(failed.error),
    }
    //<<
}

fn same(new: &NewOrder, known: Order) -> Result<Order, PlaceError> {
    if new.is(&known) { Ok(known) } else { Err(PlaceError::KeyReused) }
}

fn steps(new: &NewOrder) -> Multi<Placing, PlaceError> {
    let new = Arc::new(new.clone());
    let (first, second) = (Arc::clone(&new), Arc::clone(&new));
    Multi::<Placing, PlaceError>::new()
        .step("stock", move |tx, state| {
            let new = Arc::clone(&first);
            async move {
                state.lines = take(tx, &new).await?;
                Ok(())
            }
            .boxed()
        })
        .step("order", move |tx, state| {
            let new = Arc::clone(&second);
            async move {
                state.id = insert_order(tx, &new, total(&state.lines)).await?;
                Ok(())
            }
            .boxed()
        })
        .step("lines", |tx, state| async move { Ok(insert_lines(tx, state.id, &state.lines).await?) }.boxed())
}

fn total(lines: &[Line]) -> i64 {
    lines.iter().map(|line| line.quantity * line.price).sum()
}

/// Takes the pieces of each line; answers the lines with the prices of this moment.
async fn take(tx: &Tx, new: &NewOrder) -> Result<Vec<Line>, PlaceError> {
    //>> take
    //? "Read the stock, compare, write what is left": who may come between? Which single statement asks and takes?
    //? Two buyers want A and B, and B and A: in which order do you take them?
    const TAKE: &str =
        "UPDATE products SET stock = stock - $2 WHERE sku = $1 AND stock >= $2 RETURNING price";
    let mut lines = Vec::with_capacity(new.lines().len());
    let mut short = Vec::new();
    for line in new.lines() {
        let taken = tx.rows(TAKE, vec![line.sku.as_str().into(), line.quantity.into()]).await?;
        let sku = line.sku.clone();
        if let Some(row) = taken.first() {
            let price = row.try_get_by_index(0).map_err(DbError::from)?;
            lines.push(Line { sku, quantity: line.quantity, price });
        } else {
            let available = available(tx, &sku).await?;
            short.push(Shortage { sku, available });
        }
    }
    if short.is_empty() { Ok(lines) } else { Err(PlaceError::Short(short)) }
    //<<
}

async fn available(tx: &Tx, sku: &str) -> Result<i64, DbError> {
    let rows = tx.rows("SELECT stock FROM products WHERE sku = $1", vec![sku.into()]).await?;
    Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}

async fn insert_order(tx: &Tx, new: &NewOrder, total: i64) -> Result<i64, DbError> {
    const INSERT: &str = "INSERT INTO orders (key, buyer, total) VALUES ($1, $2, $3) RETURNING id";
    let rows = tx.rows(INSERT, vec![new.key().into(), new.buyer().into(), total.into()]).await?;
    match rows.first() {
        Some(row) => Ok(row.try_get_by_index(0)?),
        None => Err(DbError::Other("an inserted order has no number".to_owned())),
    }
}

async fn insert_lines(tx: &Tx, order: i64, lines: &[Line]) -> Result<(), DbError> {
    let rows: Vec<String> =
        (0..lines.len()).map(|n| format!("($1, ${}, ${}, ${})", 3 * n + 2, 3 * n + 3, 3 * n + 4)).collect();
    let sql = format!("INSERT INTO lines (order_id, sku, quantity, price) VALUES {}", rows.join(", "));
    let mut values = vec![order.into()];
    for line in lines {
        values.extend([line.sku.as_str().into(), line.quantity.into(), line.price.into()]);
    }
    tx.exec(&sql, values).await.map(drop)
}
