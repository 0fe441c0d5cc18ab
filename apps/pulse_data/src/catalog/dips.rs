//! Products that run low: told once a dip.
//!
//! **Invariant.** A product is told of when it falls to the threshold, and again only after it was above it in
//! between; the letters and messages commit with the note that they were told.

use std::fmt::Write as _;

use futures::FutureExt as _;
use pulse_core::{Permission, Principal, Role, Sku, Timestamp};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::product::sku;
use super::{Catalog, CatalogError};
use crate::mail::{self, Letter};
use crate::webhooks::{Event, EventKind, tell};
use crate::{DbError, Sql as _, Tx, accounts, audit};

/// Products that are told of in one transaction.
const BATCH: usize = 200;

/// A product that has run low.
struct Dip {
    sku: Sku,
    name: String,
    stock: i64,
}

impl Catalog {
    /// Tells the shop's people and its webhooks of products of which at most `threshold` pieces have been left since
    /// the last look. Answers how many these are. Needs [`Permission::ManageStock`].
    pub async fn tell_low_stock(&self, who: &Principal, threshold: i64) -> Result<usize, CatalogError> {
        who.require(Permission::ManageStock)?;
        let mut told = 0;
        loop {
            let input = (who.clone(), threshold, self.clock.now());
            let batch = self
                .repo
                .write_with(input, |tx, (who, threshold, now)| look(tx, who, *threshold, *now).boxed())
                .await?;
            told += batch;
            if batch < BATCH {
                return Ok(told);
            }
        }
    }
}

async fn look(tx: &Tx, who: &Principal, threshold: i64, now: Timestamp) -> Result<usize, CatalogError> {
    const OVER: &str = "DELETE FROM stock_dips WHERE NOT EXISTS (SELECT 1 FROM products p \
                        WHERE p.sku = stock_dips.sku AND p.active AND p.stock <= $1)";
    tx.exec(OVER, vec![threshold.into()]).await?;
    let dips = new_dips(tx, threshold, now).await?;
    if dips.is_empty() {
        return Ok(0);
    }
    for dip in &dips {
        let id = format!("stock:{}:{}", dip.sku, now.0);
        let data = json!({ "sku": dip.sku, "name": dip.name, "stock": dip.stock, "threshold": threshold });
        tell(tx, &Event { id, kind: EventKind::StockLow, at: now, data }).await?;
    }
    for (person, to) in accounts::staff(tx, Role::Manager).await? {
        let key = format!("stock-low:{}:{}:{person}", now.0, dips[0].sku);
        mail::enqueue(tx, &key, &letter(to, &dips)).await?;
    }
    let details = json!({ "products": dips.len(), "threshold": threshold });
    audit::record(tx, who, "stock.low", "products", details).await?;
    Ok(dips.len())
}

async fn new_dips(tx: &impl ConnectionTrait, threshold: i64, now: Timestamp) -> Result<Vec<Dip>, DbError> {
    let sql = format!(
        "INSERT INTO stock_dips (sku, stock, dip_at) SELECT sku, stock, $2 FROM products p WHERE active \
         AND stock <= $1 AND NOT EXISTS (SELECT 1 FROM stock_dips d WHERE d.sku = p.sku) ORDER BY sku LIMIT {BATCH} \
         ON CONFLICT DO NOTHING RETURNING sku, stock, (SELECT name FROM products n WHERE n.sku = stock_dips.sku)"
    );
    let rows = tx.rows(&sql, vec![threshold.into(), now.0.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Dip {
                sku: sku(&row.try_get_by_index::<String>(0)?)?,
                stock: row.try_get_by_index(1)?,
                name: row.try_get_by_index(2)?,
            })
        })
        .collect()
}

fn letter(to: String, dips: &[Dip]) -> Letter {
    let mut body = "These products have run low:\n\n".to_owned();
    for dip in dips {
        // Writing to a String does not fail.
        let _ = writeln!(body, "  {} {}: {} left", dip.sku, dip.name, dip.stock);
    }
    let subject = match dips {
        [dip] => format!("{} has run low", dip.name),
        dips => format!("{} products have run low", dips.len()),
    };
    Letter { to, subject, body, unsubscribe: None }
}
