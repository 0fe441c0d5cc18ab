//! Two people at one row: each edit says which version it has seen.
//!
//! **Invariant.** An edit is stored only over the version that it was made from, so none is lost under another; an order
//! gives its pieces back once.

use futures::FutureExt as _;

use crate::db::{Db, Sql as _};
use crate::error::DbError;
use crate::multi::{Multi, StepError};
use crate::order::{OrderId, Product};

/// How often [`amend`] looks again after somebody was faster.
pub const LOOKS: usize = 20;

/// Why an edit was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such product or order.
    #[error("it is not there")]
    NotThere,
    /// Somebody else has changed it: look at it again.
    #[error("it was changed by somebody else: look at it again")]
    Stale,
    /// The values can't be stored: the constraint that refuses them.
    #[error("{0} refuses these values")]
    Refused(&'static str),
    /// The database failed.
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for EditError {
    fn from(error: DbError) -> Self {
        let constraint =
            ["ck_products_price", "ck_products_stock"].into_iter().find(|name| error.violates(name));
        constraint.map_or(Self::Db(error), Self::Refused)
    }
}

impl StepError for EditError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Db(DbError::Conflict(_)))
    }
}

/// Adds a product, or puts pieces to the stock of one that is there.
pub async fn deliver(db: &Db, sku: &str, name: &str, price: i64, pieces: i64) -> Result<(), EditError> {
    const DELIVER: &str = "INSERT INTO products (sku, name, price, stock) VALUES ($1, $2, $3, $4) \
                           ON CONFLICT (sku) DO UPDATE SET stock = products.stock + excluded.stock";
    db.exec(DELIVER, vec![sku.into(), name.into(), price.into(), pieces.into()]).await?;
    Ok(())
}

/// A product as it is now.
pub async fn product(db: &Db, sku: &str) -> Result<Product, EditError> {
    const FIND: &str = "SELECT sku, name, price, stock, version FROM products WHERE sku = $1";
    let rows = db.rows(FIND, vec![sku.into()]).await?;
    let row = rows.first().ok_or(EditError::NotThere)?;
    let read = || -> Result<Product, sea_orm::DbErr> {
        Ok(Product {
            sku: row.try_get_by_index(0)?,
            name: row.try_get_by_index(1)?,
            price: row.try_get_by_index(2)?,
            stock: row.try_get_by_index(3)?,
            version: row.try_get_by_index(4)?,
        })
    };
    read().map_err(|error| EditError::Db(error.into()))
}

/// Stores a new price over the version that the editor has seen.
pub async fn reprice(db: &Db, sku: &str, seen: i64, price: i64) -> Result<(), EditError> {
    //>> reprice
    //? Which rows may this UPDATE touch? What tells you that it touched none, and what are the two reasons for that?
    const REPRICE: &str =
        "UPDATE products SET price = $3, version = version + 1 WHERE sku = $1 AND version = $2";
    match db.exec(REPRICE, vec![sku.into(), seen.into(), price.into()]).await? {
        0 => product(db, sku).await.and(Err(EditError::Stale)),
        _ => Ok(()),
    }
    //<<
}

/// Changes a price by a rule, however many do so at once; answers the price that was stored. The rule sees the row as it
/// is each time it is asked.
pub async fn amend(db: &Db, sku: &str, rule: impl Fn(&Product) -> i64) -> Result<i64, EditError> {
    //>> amend
    //? Somebody was faster. What has to be done again, and what must not be kept from the first time? For ever?
    for _ in 0..LOOKS {
        let seen = product(db, sku).await?;
        let price = rule(&seen);
        match reprice(db, sku, seen.version, price).await {
            Err(EditError::Stale) => {}
            ended => return ended.map(|()| price),
        }
    }
    Err(EditError::Stale)
    //<<
}

/// Calls an order off and gives its pieces back; answers whether it was this call that did so.
pub async fn cancel(db: &Db, order: OrderId) -> Result<bool, EditError> {
    //>> cancel
    //? Two people press the button at once. Which statement decides whose press it was?
    //? A buyer holds A and wants B. In which order do you give them back?
    const CANCEL: &str = "UPDATE orders SET cancelled = TRUE WHERE id = $1 AND NOT cancelled";
    const LINES: &str = "SELECT sku, quantity FROM lines WHERE order_id = $1 ORDER BY sku";
    const GIVE_BACK: &str = "UPDATE products SET stock = stock + $2 WHERE sku = $1";
    let cancelling = Multi::<bool, EditError>::new()
        .step("cancel", move |tx, mine| {
            async move {
                *mine = tx.exec(CANCEL, vec![order.0.into()]).await? == 1;
                Ok(())
            }
            .boxed()
        })
        .step("give back", move |tx, mine| {
            async move {
                if !*mine {
                    return Ok(());
                }
                // One statement for all of them would take the rows as they lie; buyers take them in the order of their codes.
                for line in tx.rows(LINES, vec![order.0.into()]).await? {
                    let sku: String = line.try_get_by_index(0).map_err(DbError::from)?;
                    let pieces: i64 = line.try_get_by_index(1).map_err(DbError::from)?;
                    tx.exec(GIVE_BACK, vec![sku.into(), pieces.into()]).await?;
                }
                Ok(())
            }
            .boxed()
        });
    let mine = cancelling.run(db, false).await.map_err(|failed| failed.error)?;
    if !mine && db.rows("SELECT 1 FROM orders WHERE id = $1", vec![order.0.into()]).await?.is_empty() {
        return Err(EditError::NotThere);
    }
    Ok(mine)
    //<<
}
