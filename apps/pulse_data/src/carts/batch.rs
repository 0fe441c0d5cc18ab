//! A batch of saves in one transaction.
//!
//! Measured on SQLite: per row, a prepared single-row UPDATE is a quarter cheaper than any multi-row form, and a
//! hop to SQLite's thread costs as much as the update itself. So many single-row updates are prepared as *one* text
//! and sent in one hop. PostgreSQL gets one statement over arrays.
//!
//! **Invariant.** Either every row of the batch was accepted, or the batch is done again row by row, so that each
//! save learns its own fate.

use futures::FutureExt as _;
use pulse_core::cart::StoredCart;
use pulse_core::{CartId, Currency, Version};
use sea_orm::Value;

use super::body;
use crate::sql::Sql as _;
use crate::{Backend, DbError, Repo, Tx};

/// A cart as its row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: CartId,
    /// Whether there is to be no row before it.
    is_new: bool,
    version: i64,
    currency: Currency,
    body: String,
    recent: String,
}

impl Row {
    pub(super) fn of(id: CartId, over: Version, stored: &StoredCart) -> Self {
        Self {
            id,
            is_new: over == Version::NONE,
            version: i64::try_from(stored.version.0).unwrap_or(i64::MAX),
            currency: stored.cart.lines.first().map(|line| line.price.unit.currency).unwrap_or_default(),
            body: body::encode(&stored.cart),
            recent: body::encode_recent(&stored.recent),
        }
    }

    /// In the order of the statements below.
    fn values(&self) -> [Value; 5] {
        [
            self.currency.code().into(),
            self.body.as_str().into(),
            self.recent.as_str().into(),
            self.id.to_string().into(),
            self.version.into(),
        ]
    }
}

/// Writes the rows; answers for each whether its fence let it through.
pub(super) async fn write(repo: &Repo, rows: Vec<Row>) -> Result<Vec<bool>, DbError> {
    let rows = std::sync::Arc::new(rows);
    let all = repo.write_with(rows.clone(), |tx, rows| together(tx, rows).boxed()).await;
    match all {
        Ok(()) => Ok(vec![true; rows.len()]),
        Err(Refused::Db(error)) => Err(error),
        Err(Refused::Some) => repo.write_with(rows, |tx, rows| one_by_one(tx, rows).boxed()).await,
    }
}

enum Refused {
    /// At least one row was fenced.
    Some,
    Db(DbError),
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

async fn together(tx: &Tx, rows: &[Row]) -> Result<(), Refused> {
    let (mut new, mut known): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is_new);
    // In one order, so that two batches on PostgreSQL can't wait for each other's rows.
    new.sort_unstable_by_key(|row| row.id);
    known.sort_unstable_by_key(|row| row.id);
    let stored = match tx.backend() {
        Backend::Sqlite => sqlite(tx, INSERT, &new).await? + sqlite(tx, UPDATE, &known).await?,
        Backend::Postgres => postgres(tx, INSERT_ALL, &new).await? + postgres(tx, UPDATE_ALL, &known).await?,
    };
    if stored == rows.len() as u64 { Ok(()) } else { Err(Refused::Some) }
}

async fn one_by_one(tx: &Tx, rows: &[Row]) -> Result<Vec<bool>, DbError> {
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let is_new = row.is_new;
        let stored = match tx.backend() {
            Backend::Sqlite => sqlite(tx, if is_new { INSERT } else { UPDATE }, &[row]).await?,
            Backend::Postgres => postgres(tx, if is_new { INSERT_ALL } else { UPDATE_ALL }, &[row]).await?,
        };
        kept.push(stored == 1);
    }
    Ok(kept)
}

// A plain `?`, because sqlx binds a text of several statements in order only then.
const INSERT: &str = "INSERT INTO carts (currency, body, recent, id, version) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (id) DO NOTHING;";
const UPDATE: &str = "UPDATE carts SET currency = ?, body = ?, recent = ?, version = version + 1 \
    WHERE id = ? AND version = ? - 1;";

/// Rows in one text. Each length is prepared once and kept by the connection.
const CHUNKS: [usize; 3] = [32, 8, 1];

async fn sqlite(tx: &Tx, sql: &str, rows: &[&Row]) -> Result<u64, DbError> {
    let mut stored = 0;
    let mut rest = rows;
    for size in CHUNKS {
        while rest.len() >= size {
            let (chunk, after) = rest.split_at(size);
            let values = chunk.iter().flat_map(|row| row.values()).collect();
            stored += tx.exec(&sql.repeat(size), values).await?;
            rest = after;
        }
    }
    Ok(stored)
}

const INSERT_ALL: &str = "INSERT INTO carts (currency, body, recent, id, version) \
    SELECT * FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::bigint[]) \
    ON CONFLICT (id) DO NOTHING";
const UPDATE_ALL: &str = "UPDATE carts SET currency = n.currency, body = n.body, recent = n.recent, version = n.version \
    FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::bigint[]) \
    AS n (currency, body, recent, id, version) \
    WHERE carts.id = n.id AND carts.version = n.version - 1";

async fn postgres(tx: &Tx, sql: &str, rows: &[&Row]) -> Result<u64, DbError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let values = vec![
        array(rows.iter().map(|row| row.currency.code().to_owned())).into(),
        array(rows.iter().map(|row| row.body.clone())).into(),
        array(rows.iter().map(|row| row.recent.clone())).into(),
        array(rows.iter().map(|row| row.id.to_string())).into(),
        array(rows.iter().map(|row| row.version.to_string())).into(),
    ];
    tx.exec(sql, values).await
}

/// PostgreSQL's text form of an array.
fn array(elements: impl Iterator<Item = String>) -> String {
    let mut text = String::from("{");
    for element in elements {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        for c in element.chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    }
    text.push('}');
    text
}
