//! The figures of replayed invoices, and the balance of the stock.
//!
//! **Invariant.** Orders of one invoice are one, in the month and country of the first of them; so are a credit note's
//! parts. Orders that were given up are not counted.

use std::collections::BTreeMap;

use pulse_core::Sku;
use sea_orm::ConnectionTrait;

use crate::catalog::product::sku;
use crate::catalog::sql::Dialects;
use crate::{DbError, Sql as _};

/// What `pulse report` tells of the orders and returns that were replayed. Amounts are in pence; months are `YYYY-MM`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplayFigures {
    /// Invoices that were sold.
    pub orders: i64,
    /// Credit notes.
    pub returns: i64,
    /// Lines of credit notes.
    pub return_lines: i64,
    /// Accounts that bought.
    pub customers: i64,
    /// The sum of all sales.
    pub revenue_pence: i64,
    /// The sum of all refunds.
    pub refunds_pence: i64,
    /// Sales by month.
    pub by_month: BTreeMap<String, i64>,
    /// Refunds by month.
    pub refunds_by_month: BTreeMap<String, i64>,
    /// Sales by country.
    pub by_country: BTreeMap<String, i64>,
    /// Products of which at least one piece was sold.
    pub products_sold: i64,
    /// Pieces sold.
    pub pieces_sold: i64,
    /// The ten products with the highest sales; ties by code.
    pub top: Vec<(Sku, i64)>,
}

/// Why a product has the stock that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockBalance {
    /// The product.
    pub sku: Sku,
    /// Pieces on the shelf.
    pub stock: i64,
    /// Pieces that suppliers brought.
    pub delivered: i64,
    /// Corrections by hand, up and down.
    pub adjusted: i64,
    /// Pieces in orders that were not given up.
    pub sold: i64,
    /// Pieces that came back.
    pub returned: i64,
}

impl StockBalance {
    /// Whether nothing was lost or made: `stock = delivered + adjusted - sold + returned`.
    pub const fn holds(&self) -> bool {
        self.stock == self.delivered + self.adjusted - self.sold + self.returned
    }
}

const SALES: Dialects = Dialects {
    sqlite: "WITH invoices AS (SELECT MIN(id) AS first, SUM(total_pence) AS pence FROM orders \
             WHERE invoice IS NOT NULL AND status <> 'cancelled' GROUP BY invoice) \
             SELECT strftime('%Y-%m', o.placed_at / 1000, 'unixepoch'), o.country, COUNT(*), SUM(i.pence) \
             FROM invoices i JOIN orders o ON o.id = i.first GROUP BY 1, 2",
    postgres: "WITH invoices AS (SELECT MIN(id) AS first, SUM(total_pence) AS pence FROM orders \
               WHERE invoice IS NOT NULL AND status <> 'cancelled' GROUP BY invoice) \
               SELECT to_char(to_timestamp(o.placed_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM'), o.country, \
               COUNT(*), SUM(i.pence)::bigint FROM invoices i JOIN orders o ON o.id = i.first GROUP BY 1, 2",
};

const REFUNDS: Dialects = Dialects {
    sqlite: "SELECT strftime('%Y-%m', returned_at / 1000, 'unixepoch'), COUNT(*), SUM(refund_pence) \
             FROM credit_notes WHERE invoice IS NOT NULL GROUP BY 1",
    postgres: "SELECT to_char(to_timestamp(returned_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM'), \
               COUNT(*), SUM(refund_pence)::bigint FROM credit_notes WHERE invoice IS NOT NULL GROUP BY 1",
};

const TOTALS: &str = "SELECT (SELECT COUNT(DISTINCT buyer) FROM orders \
                      WHERE invoice IS NOT NULL AND status <> 'cancelled'), \
                      (SELECT COUNT(*) FROM credit_lines l JOIN credit_notes n ON n.id = l.note_id \
                      WHERE n.invoice IS NOT NULL), \
                      COUNT(DISTINCT l.sku), CAST(COALESCE(SUM(l.quantity), 0) AS BIGINT) \
                      FROM order_lines l JOIN orders o ON o.id = l.order_id \
                      WHERE o.invoice IS NOT NULL AND o.status <> 'cancelled'";

const TOP: &str = "SELECT l.sku, CAST(SUM(l.quantity * l.unit_pence) AS BIGINT) AS pence \
                   FROM order_lines l JOIN orders o ON o.id = l.order_id \
                   WHERE o.invoice IS NOT NULL AND o.status <> 'cancelled' \
                   GROUP BY l.sku ORDER BY pence DESC, l.sku LIMIT 10";

/// The figures of all replayed invoices. O(replayed lines).
pub(super) async fn figures(db: &impl ConnectionTrait) -> Result<ReplayFigures, DbError> {
    let mut figures = ReplayFigures::default();
    for row in db.rows(SALES.of(db), vec![]).await? {
        let pence: i64 = row.try_get_by_index(3)?;
        figures.orders += row.try_get_by_index::<i64>(2)?;
        figures.revenue_pence += pence;
        *figures.by_month.entry(row.try_get_by_index(0)?).or_insert(0) += pence;
        *figures.by_country.entry(row.try_get_by_index(1)?).or_insert(0) += pence;
    }
    for row in db.rows(REFUNDS.of(db), vec![]).await? {
        let pence: i64 = row.try_get_by_index(2)?;
        figures.returns += row.try_get_by_index::<i64>(1)?;
        figures.refunds_pence += pence;
        figures.refunds_by_month.insert(row.try_get_by_index(0)?, pence);
    }
    if let Some(row) = db.row(TOTALS, vec![]).await? {
        figures.customers = row.try_get_by_index(0)?;
        figures.return_lines = row.try_get_by_index(1)?;
        figures.products_sold = row.try_get_by_index(2)?;
        figures.pieces_sold = row.try_get_by_index(3)?;
    }
    for row in db.rows(TOP, vec![]).await? {
        figures.top.push((sku(&row.try_get_by_index::<String>(0)?)?, row.try_get_by_index(1)?));
    }
    Ok(figures)
}

const BALANCE: &str = "SELECT p.sku, p.stock, p.delivered, p.adjusted, \
                       CAST(COALESCE(s.pieces, 0) AS BIGINT), CAST(COALESCE(r.pieces, 0) AS BIGINT) FROM products p \
                       LEFT JOIN (SELECT l.sku, SUM(l.quantity) AS pieces FROM order_lines l \
                       JOIN orders o ON o.id = l.order_id WHERE o.status <> 'cancelled' GROUP BY l.sku) s \
                       ON s.sku = p.sku \
                       LEFT JOIN (SELECT sku, SUM(quantity) AS pieces FROM credit_lines GROUP BY sku) r \
                       ON r.sku = p.sku ORDER BY p.sku";

/// The balance of every product, by code. O(all lines): for checks, not for pages.
pub(super) async fn balance(db: &impl ConnectionTrait) -> Result<Vec<StockBalance>, DbError> {
    let rows = db.rows(BALANCE, vec![]).await?;
    rows.iter()
        .map(|row| {
            Ok(StockBalance {
                sku: sku(&row.try_get_by_index::<String>(0)?)?,
                stock: row.try_get_by_index(1)?,
                delivered: row.try_get_by_index(2)?,
                adjusted: row.try_get_by_index(3)?,
                sold: row.try_get_by_index(4)?,
                returned: row.try_get_by_index(5)?,
            })
        })
        .collect()
}
