//! The goods that a batch is about: read and held, then written where they changed.
//!
//! **Invariant.** Rows are held in the order of their codes and until the transaction's end, so what was decided over them
//! is still so when it is written; a list is one statement.

use std::collections::{BTreeMap, BTreeSet};

use pulse_core::{Currency, Money, Sku, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::{Value, json};

use super::decide::{Item, Moving, Price, Shelf, Stock};
use crate::catalog::product::{currency, sku, vat_from_name, vat_name};
use crate::catalog::sql::Dialects;
use crate::catalog::stock::json as list;
use crate::{DbError, Sql as _};

/// What a batch changed, for whoever is told and for the books: products, and one line each of what was and what is.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) skus: Vec<Sku>,
    pub(super) lines: Vec<Value>,
}

impl Changes {
    fn note(&mut self, sku: Sku, line: Value) {
        self.skus.push(sku);
        self.lines.push(line);
    }
}

macro_rules! held {
    ($columns:literal) => {
        Dialects {
            sqlite: concat!("SELECT ", $columns, " FROM products WHERE sku IN (SELECT value FROM json_each($1))"),
            postgres: concat!(
                "SELECT ",
                $columns,
                " FROM products WHERE sku = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb) COLLATE \"C\")) \
                 ORDER BY sku FOR NO KEY UPDATE"
            ),
        }
    };
}

const PRICES: Dialects = held!("sku, price_pence, currency, priced_at");
const STOCK: Dialects = held!("sku, stock, counted_at, delivered");
const ITEMS: Dialects =
    held!("sku, price_pence, currency, priced_at, name, category, description, vat, active");

async fn held(
    tx: &impl ConnectionTrait,
    sql: Dialects,
    skus: impl Iterator<Item = Sku>,
) -> Result<Vec<QueryResult>, DbError> {
    let skus: BTreeSet<Sku> = skus.collect();
    let codes: Vec<&str> = skus.iter().map(Sku::as_str).collect();
    tx.rows(sql.of(tx), vec![list(&codes)?.into()]).await
}

fn code(row: &QueryResult) -> Result<Sku, DbError> {
    sku(&row.try_get_by_index::<String>(0)?)
}

fn price(row: &QueryResult) -> Result<Price, DbError> {
    let code: String = row.try_get_by_index(2)?;
    let money = Money { pence: row.try_get_by_index(1)?, currency: currency(&code)? };
    Ok((money, Timestamp(row.try_get_by_index(3)?)))
}

/// The prices of these products, by code; those that the catalogue does not have are absent.
pub(super) async fn prices(
    tx: &impl ConnectionTrait,
    skus: impl Iterator<Item = Sku>,
) -> Result<BTreeMap<Sku, Moving<Price>>, DbError> {
    let rows = held(tx, PRICES, skus).await?;
    rows.iter().map(|row| Ok((code(row)?, Moving::still(price(row)?)))).collect()
}

/// Their pieces.
pub(super) async fn stock(
    tx: &impl ConnectionTrait,
    skus: impl Iterator<Item = Sku>,
) -> Result<BTreeMap<Sku, Moving<Stock>>, DbError> {
    let rows = held(tx, STOCK, skus).await?;
    let read = |row: &QueryResult| {
        let (pieces, counted_at) = (row.try_get_by_index(1)?, Timestamp(row.try_get_by_index(2)?));
        let stock = Stock { pieces, counted_at, delivered: row.try_get_by_index(3)?, adjusted: 0 };
        Ok((code(row)?, Moving::still(stock)))
    };
    rows.iter().map(read).collect()
}

/// Everything of them that a catalogue's feed can change.
pub(super) async fn items(
    tx: &impl ConnectionTrait,
    skus: impl Iterator<Item = Sku>,
) -> Result<BTreeMap<Sku, Shelf>, DbError> {
    let rows = held(tx, ITEMS, skus).await?;
    let read = |row: &QueryResult| {
        let (price, priced_at) = price(row)?;
        let vat: String = row.try_get_by_index(7)?;
        let item = Item {
            name: row.try_get_by_index(4)?,
            category: row.try_get_by_index(5)?,
            description: row.try_get_by_index(6)?,
            price,
            priced_at,
            vat: vat_from_name(&vat).ok_or_else(|| DbError::Corrupt(format!("{vat:?} is no VAT rate")))?,
            active: row.try_get_by_index(8)?,
        };
        Ok((code(row)?, Shelf::known(item)))
    };
    rows.iter().map(read).collect()
}

// A price that is confirmed at a later time moves its time alone: nobody's edit is made stale by that.
const REPRICE: Dialects = Dialects {
    sqlite: "UPDATE products SET price_pence = n.pence, currency = n.currency, priced_at = n.at, \
             version = version + n.moved, updated_at = CASE n.moved WHEN 1 THEN $2 ELSE updated_at END \
             FROM (SELECT value ->> 0 AS sku, value ->> 1 AS pence, value ->> 2 AS currency, value ->> 3 AS at, \
             value ->> 4 AS moved FROM json_each($1)) n WHERE products.sku = n.sku",
    postgres: "UPDATE products p SET price_pence = n.pence, currency = n.currency, priced_at = n.at, \
               version = version + n.moved, updated_at = CASE n.moved WHEN 1 THEN $2 ELSE updated_at END \
               FROM (SELECT (e ->> 0) COLLATE \"C\" AS sku, (e ->> 1)::bigint AS pence, e ->> 2 AS currency, \
               (e ->> 3)::bigint AS at, (e ->> 4)::bigint AS moved FROM jsonb_array_elements($1::jsonb) e) n \
               WHERE p.sku = n.sku",
};

const MOVE: Dialects = Dialects {
    sqlite: "UPDATE products SET stock = products.stock + n.pieces, \
             delivered = products.delivered + n.delivered, adjusted = products.adjusted + n.adjusted, \
             counted_at = n.counted_at \
             FROM (SELECT value ->> 0 AS sku, value ->> 1 AS pieces, value ->> 2 AS delivered, value ->> 3 AS adjusted, \
             value ->> 4 AS counted_at FROM json_each($1)) n WHERE products.sku = n.sku",
    postgres: "UPDATE products p SET stock = p.stock + n.pieces, delivered = p.delivered + n.delivered, \
               adjusted = p.adjusted + n.adjusted, counted_at = n.counted_at \
               FROM (SELECT (e ->> 0) COLLATE \"C\" AS sku, (e ->> 1)::bigint AS pieces, \
               (e ->> 2)::bigint AS delivered, (e ->> 3)::bigint AS adjusted, (e ->> 4)::bigint AS counted_at \
               FROM jsonb_array_elements($1::jsonb) e) n WHERE p.sku = n.sku",
};

const KNOWN: &str = "ON CONFLICT (sku) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, \
                     category = excluded.category, description = excluded.description, \
                     price_pence = excluded.price_pence, currency = excluded.currency, vat = excluded.vat, \
                     priced_at = excluded.priced_at, active = excluded.active, version = products.version + 1, \
                     updated_at = excluded.updated_at";

const PUT: Dialects = Dialects {
    sqlite: "INSERT INTO products (sku, name, name_key, category, description, price_pence, currency, vat, priced_at, \
             active, version, created_at, updated_at) \
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
             value ->> 7, value ->> 8, value ->> 9, 1, $2, $2 FROM json_each($1) WHERE TRUE ORDER BY 1 ",
    postgres: "INSERT INTO products (sku, name, name_key, category, description, price_pence, currency, vat, priced_at, \
               active, version, created_at, updated_at) \
               SELECT e ->> 0, e ->> 1, e ->> 2, e ->> 3, e ->> 4, (e ->> 5)::bigint, e ->> 6, e ->> 7, \
               (e ->> 8)::bigint, (e ->> 9)::boolean, 1, $2, $2 \
               FROM jsonb_array_elements($1::jsonb) e ORDER BY (e ->> 0) COLLATE \"C\" ",
};

async fn write(
    tx: &impl ConnectionTrait,
    sql: &str,
    rows: &[Value],
    values: impl IntoIterator<Item = sea_orm::Value>,
) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    tx.exec(sql, std::iter::once(list(&rows)?.into()).chain(values).collect()).await.map(drop)
}

/// Writes the prices that have moved.
pub(super) async fn write_prices(
    tx: &impl ConnectionTrait,
    shelves: &BTreeMap<Sku, Moving<Price>>,
    now: Timestamp,
) -> Result<Changes, DbError> {
    let (mut rows, mut changes) = (Vec::new(), Changes::default());
    for (sku, shelf) in shelves.iter().filter(|(_, shelf)| shelf.moved()) {
        let ((was, _), (Money { pence, currency }, at)) = (shelf.was, shelf.now);
        let moved = shelf.now.0 != was;
        rows.push(json!([sku.as_str(), pence, currency.code(), at.0, i64::from(moved)]));
        if moved {
            changes.note(*sku, json!([sku.as_str(), worth(was), worth(shelf.now.0), at.0]));
        }
    }
    write(tx, REPRICE.of(tx), &rows, [now.0.into()]).await?;
    Ok(changes)
}

/// Writes the pieces that have moved, as differences.
pub(super) async fn write_stock(
    tx: &impl ConnectionTrait,
    shelves: &BTreeMap<Sku, Moving<Stock>>,
) -> Result<Changes, DbError> {
    let (mut rows, mut changes) = (Vec::new(), Changes::default());
    for (sku, Moving { was, now }) in shelves.iter().filter(|(_, shelf)| shelf.moved()) {
        let (pieces, delivered) = (now.pieces - was.pieces, now.delivered - was.delivered);
        rows.push(json!([sku.as_str(), pieces, delivered, now.adjusted, now.counted_at.0]));
        if pieces != 0 {
            changes.note(*sku, json!([sku.as_str(), was.pieces, now.pieces]));
        }
    }
    write(tx, MOVE.of(tx), &rows, []).await?;
    Ok(changes)
}

/// Writes the products that are new or have changed.
pub(super) async fn write_items(
    tx: &impl ConnectionTrait,
    shelves: &BTreeMap<Sku, Shelf>,
    now: Timestamp,
) -> Result<Changes, DbError> {
    let (mut rows, mut changes) = (Vec::new(), Changes::default());
    for (sku, shelf) in shelves.iter().filter(|(_, shelf)| shelf.moved()) {
        let Item { name, category, description, price, priced_at, vat, active } = &shelf.now;
        rows.push(json!([
            sku.as_str(),
            name,
            name.to_lowercase(),
            category,
            description,
            price.pence,
            price.currency.code(),
            vat_name(*vat),
            priced_at.0,
            active,
        ]));
        changes.note(*sku, json!([sku.as_str(), shelf.was.as_ref().map(told), told(&shelf.now)]));
    }
    let sql = format!("{}{KNOWN}", PUT.of(tx));
    write(tx, &sql, &rows, [now.0.into()]).await?;
    Ok(changes)
}

/// An amount as the books keep it: pence where they are the shop's usual ones.
fn worth(money: Money) -> Value {
    match money.currency {
        Currency::Gbp => json!(money.pence),
        other => json!([money.pence, other.code()]),
    }
}

fn told(item: &Item) -> Value {
    let Item { name, category, description, price, priced_at, vat, active } = item;
    json!({
        "name": name, "category": category, "description": description, "price": worth(*price),
        "at": priced_at.0, "vat": vat_name(*vat), "active": active,
    })
}
