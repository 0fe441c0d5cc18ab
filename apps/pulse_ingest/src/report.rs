//! What was replayed, in figures.
//!
//! **Invariant.** Sales and refunds are counted over the shop's own orders and credit notes, not over the files; only
//! what never becomes an order (rows, dead letters) comes from the import's books.

use std::collections::BTreeMap;

use pulse_core::{Principal, Sku};
use pulse_data::imports::{ImportError, Imports};
use pulse_data::orders::{OrderError, Orders, StockBalance};
use serde::Serialize;

/// The report, with the keys of `pulse report --json`. Amounts are in pence; months are `YYYY-MM` in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Data rows of all files.
    pub rows: u64,
    /// Rows that are sales.
    pub sale_lines: u64,
    /// Rows that are returns.
    pub return_lines: u64,
    /// Invoices with a sale.
    pub orders: i64,
    /// Credit notes.
    pub returns: i64,
    /// Distinct customers with a sale.
    pub customers: u64,
    /// Sales.
    pub revenue_pence: i64,
    /// Refunds.
    pub refunds_pence: i64,
    /// Sales by the month of the invoice's first line.
    pub by_month: BTreeMap<String, i64>,
    /// Refunds by the month of the credit note's first line.
    pub refunds_by_month: BTreeMap<String, i64>,
    /// Sales by the country of the invoice's first line.
    pub by_country: BTreeMap<String, i64>,
    /// Dead letters by reason.
    pub dead: BTreeMap<String, u64>,
    /// Products of which at least one piece was sold.
    pub products_sold: i64,
    /// The ten products with the highest sales; ties by code.
    pub top: Vec<(Sku, i64)>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The orders can't be read.
    #[error(transparent)]
    Orders(#[from] OrderError),
    /// The import's books can't be read.
    #[error(transparent)]
    Imports(#[from] ImportError),
}

/// Counts what was replayed so far. O(replayed lines).
pub async fn report(orders: &Orders, imports: &Imports, who: &Principal) -> Result<Report, ReportError> {
    let totals = imports.totals(who).await?;
    let figures = orders.replay_figures(who).await?;
    Ok(Report {
        rows: totals.counts.rows,
        sale_lines: totals.counts.sale_lines,
        return_lines: totals.counts.return_lines,
        orders: figures.orders,
        returns: figures.returns,
        customers: totals.customers,
        revenue_pence: figures.revenue_pence,
        refunds_pence: figures.refunds_pence,
        by_month: figures.by_month,
        refunds_by_month: figures.refunds_by_month,
        by_country: figures.by_country,
        dead: totals.dead,
        products_sold: figures.products_sold,
        top: figures.top,
    })
}

/// Products whose stock is not what was delivered, corrected, sold and returned; none, if all is well.
pub async fn stock_check(orders: &Orders, who: &Principal) -> Result<Vec<StockBalance>, ReportError> {
    let balance = orders.stock_balance(who).await?;
    Ok(balance.into_iter().filter(|product| !product.holds()).collect())
}
