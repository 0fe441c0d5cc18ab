//! Goods that come in, go out and come back, and prices that move: everything that changes many products at once.
//!
//! **Invariant.** A list of products is one statement, and rows are locked in the order of their codes, so two of them
//! never wait for each other in a circle. Stock is changed by differences, never by a value that was read before.

use std::collections::BTreeMap;

use pulse_core::pricing::VatRate;
use pulse_core::{Money, Sku, Timestamp};
use sea_orm::{ConnectionTrait, Value};
use serde::Serialize;

use super::product::{sku, vat_name};
use super::sql::Dialects;
use crate::{DbError, Sql as _};

/// A product in a supplier's delivery. A product that the catalogue does not know yet is created from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLine {
    /// Its code.
    pub sku: Sku,
    /// The name of a new product; a known one keeps its own.
    pub name: String,
    /// The shelf of a new product, up to 60 characters; a known one keeps its own.
    pub category: Option<String>,
    /// Pieces that came; 0 to only make the product known.
    pub pieces: i64,
    /// The price of a new product.
    pub price: Money,
    /// The VAT of a new product.
    pub vat: VatRate,
    /// The time of a new product's price.
    pub priced_at: Timestamp,
}

/// A price that holds from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPrice {
    /// The product.
    pub sku: Sku,
    /// Its price from then on.
    pub price: Money,
    /// Since when.
    pub at: Timestamp,
}

// New rows and known ones in one statement. The SELECT's order is the order of the locks.
const DELIVER: Dialects = Dialects {
    sqlite: "INSERT INTO products (sku, name, name_key, price_pence, currency, vat, priced_at, stock, delivered, \
             category, active, version, created_at, updated_at) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
             value ->> 7, value ->> 7, value ->> 8, TRUE, 1, $2, $2 FROM json_each($1) WHERE TRUE ORDER BY 1 \
             ON CONFLICT (sku) DO UPDATE SET stock = products.stock + excluded.stock, \
             delivered = products.delivered + excluded.delivered",
    postgres: "INSERT INTO products (sku, name, name_key, price_pence, currency, vat, priced_at, stock, delivered, \
               category, active, version, created_at, updated_at) \
               SELECT e ->> 0, e ->> 1, e ->> 2, (e ->> 3)::bigint, e ->> 4, e ->> 5, (e ->> 6)::bigint, \
               (e ->> 7)::bigint, (e ->> 7)::bigint, e ->> 8, TRUE, 1, $2, $2 \
               FROM jsonb_array_elements($1::jsonb) e ORDER BY (e ->> 0) COLLATE \"C\" \
               ON CONFLICT (sku) DO UPDATE SET stock = products.stock + excluded.stock, \
               delivered = products.delivered + excluded.delivered",
};

/// Adds deliveries; lines of one product are added up.
pub(super) async fn deliver(
    tx: &impl ConnectionTrait,
    lines: &[DeliveryLine],
    now: Timestamp,
) -> Result<(), DbError> {
    let mut sums: BTreeMap<Sku, (&DeliveryLine, i64)> = BTreeMap::new();
    for line in lines {
        let (_, pieces) = sums.entry(line.sku).or_insert((line, 0));
        *pieces = pieces.saturating_add(line.pieces);
    }
    let rows: Vec<_> = sums
        .iter()
        .map(|(sku, (line, pieces))| {
            let name = line.name.trim();
            let Money { pence, currency } = line.price;
            let vat = vat_name(line.vat);
            let priced_at = line.priced_at.0;
            let category = line.category.as_deref().map(str::trim).filter(|shelf| !shelf.is_empty());
            (
                sku.as_str(),
                name,
                name.to_lowercase(),
                pence,
                currency.code(),
                vat,
                priced_at,
                *pieces,
                category,
            )
        })
        .collect();
    tx.exec(DELIVER.of(tx), vec![json(&rows)?.into(), now.0.into()]).await?;
    Ok(())
}

// A list's length is unknown to PostgreSQL's planner: `= ANY (ARRAY (…))` keeps it at the index, where a join with a
// list of "100" rows would read the whole table.
//
// At one time the higher price wins: any order of arrival gives the same catalogue.
const REPRICE: Dialects = Dialects {
    sqlite: "UPDATE products SET price_pence = n.pence, currency = n.currency, priced_at = n.at, \
             version = version + 1, updated_at = $2 \
             FROM (SELECT value ->> 0 AS sku, value ->> 1 AS pence, value ->> 2 AS currency, value ->> 3 AS at \
             FROM json_each($1)) n \
             WHERE products.sku = n.sku AND (products.priced_at < n.at \
             OR products.priced_at = n.at AND products.price_pence < n.pence) RETURNING sku",
    postgres: "WITH n AS (SELECT (e ->> 0) COLLATE \"C\" AS sku, (e ->> 1)::bigint AS pence, e ->> 2 AS currency, \
               (e ->> 3)::bigint AS at FROM jsonb_array_elements($1::jsonb) e), \
               locked AS (SELECT p.sku FROM products p WHERE p.sku = ANY (ARRAY(SELECT sku FROM n)) \
               ORDER BY p.sku FOR UPDATE) \
               UPDATE products p SET price_pence = n.pence, currency = n.currency, priced_at = n.at, \
               version = version + 1, updated_at = $2 \
               FROM n WHERE p.sku = ANY (ARRAY(SELECT sku FROM locked)) AND p.sku = n.sku AND (p.priced_at < n.at OR p.priced_at = n.at AND p.price_pence < n.pence) \
               RETURNING p.sku",
};

/// Sets newer prices; answers the products whose price has changed.
pub(super) async fn reprice(
    tx: &impl ConnectionTrait,
    prices: &[NewPrice],
    now: Timestamp,
) -> Result<Vec<Sku>, DbError> {
    let mut newest: BTreeMap<Sku, &NewPrice> = BTreeMap::new();
    for price in prices {
        let known = newest.entry(price.sku).or_insert(price);
        if (known.at, known.price.pence) < (price.at, price.price.pence) {
            *known = price;
        }
    }
    let rows: Vec<_> = newest
        .values()
        .map(|new| (new.sku.as_str(), new.price.pence, new.price.currency.code(), new.at.0))
        .collect();
    skus(tx, REPRICE.of(tx), vec![json(&rows)?.into(), now.0.into()]).await
}

const PUT_BACK: Dialects = Dialects {
    sqlite: "UPDATE products SET stock = stock + w.pieces \
             FROM (SELECT value ->> 0 AS sku, value ->> 1 AS pieces FROM json_each($1)) w \
             WHERE products.sku = w.sku RETURNING sku",
    postgres: "WITH w AS (SELECT (e ->> 0) COLLATE \"C\" AS sku, (e ->> 1)::bigint AS pieces \
               FROM jsonb_array_elements($1::jsonb) e), \
               locked AS (SELECT p.sku FROM products p WHERE p.sku = ANY (ARRAY(SELECT sku FROM w)) \
               ORDER BY p.sku FOR UPDATE) \
               UPDATE products p SET stock = p.stock + w.pieces FROM w \
               WHERE p.sku = ANY (ARRAY(SELECT sku FROM locked)) AND p.sku = w.sku RETURNING p.sku",
};

/// Pieces by product, in the order of the codes.
pub(crate) type Pieces = BTreeMap<Sku, i64>;

/// Puts goods back on the shelf; answers the products that are known.
pub(crate) async fn put_back(tx: &impl ConnectionTrait, came: &Pieces) -> Result<Vec<Sku>, DbError> {
    skus(tx, PUT_BACK.of(tx), vec![pieces_json(came)?.into()]).await
}

const LEFT: Dialects = Dialects {
    sqlite: "SELECT sku, stock FROM products WHERE active AND sku IN (SELECT value FROM json_each($1))",
    postgres: "SELECT sku, stock FROM products WHERE active \
               AND sku IN (SELECT jsonb_array_elements_text($1::jsonb))",
};

/// How many there are of each of these; products that are unknown or no longer sold are absent.
pub(crate) async fn left(tx: &impl ConnectionTrait, skus: &[Sku]) -> Result<BTreeMap<Sku, i64>, DbError> {
    let rows = tx.rows(LEFT.of(tx), vec![json(&skus)?.into()]).await?;
    rows.iter().map(|row| Ok((sku(&row.try_get_by_index::<String>(0)?)?, row.try_get_by_index(1)?))).collect()
}

fn pieces_json(pieces: &Pieces) -> Result<String, DbError> {
    json(&pieces.iter().map(|(sku, n)| (sku.as_str(), *n)).collect::<Vec<_>>())
}

/// A list as one parameter.
pub(crate) fn json(rows: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(rows).map_err(|error| DbError::Corrupt(error.to_string()))
}

async fn skus(tx: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<Vec<Sku>, DbError> {
    let rows = tx.rows(sql, values).await?;
    rows.iter().map(|row| sku(&row.try_get_by_index::<String>(0)?)).collect()
}
