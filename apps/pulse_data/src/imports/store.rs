//! The statements behind imports.
//!
//! **Invariant.** Lists travel as one parameter: a batch of dead letters is one statement.

use pulse_core::{Principal, Timestamp};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult};
use serde::Serialize;
use serde_json::json;

use super::{Counts, DeadLetter, ImportFile, ImportTotals};
use crate::{DbError, Sql as _, audit};

pub(super) async fn begin(
    tx: &impl ConnectionTrait,
    who: &Principal,
    hash: &str,
    name: &str,
    now: Timestamp,
) -> Result<(ImportFile, bool), DbError> {
    let sql = "INSERT INTO import_files (hash, name, state, began_at) VALUES ($1, $2, 'begun', $3) \
               ON CONFLICT (hash) DO NOTHING";
    let new = tx.exec(sql, vec![hash.into(), name.into(), now.0.into()]).await? == 1;
    if new {
        audit::record(tx, who, "import.begin", &format!("file:{hash}"), json!({ "name": name })).await?;
    }
    let row = tx.row(&format!("{FILES} WHERE hash = $1"), vec![hash.into()]).await?;
    let row = row.ok_or_else(|| DbError::Corrupt(format!("file {hash} was not stored")))?;
    Ok((file(&row)?, !new))
}

pub(super) async fn bury(
    tx: &impl ConnectionTrait,
    file: i64,
    letters: &[DeadLetter],
) -> Result<(), DbError> {
    let sql = match tx.get_database_backend() {
        DbBackend::Postgres => {
            "INSERT INTO dead_letters (file_id, row_no, reason, payload) \
             SELECT $1, (e ->> 0)::bigint, e ->> 1, e ->> 2 FROM jsonb_array_elements($2::jsonb) e \
             ON CONFLICT (file_id, row_no) DO NOTHING"
        }
        _ => {
            "INSERT INTO dead_letters (file_id, row_no, reason, payload) \
             SELECT $1, value ->> 0, value ->> 1, value ->> 2 FROM json_each($2) WHERE TRUE \
             ON CONFLICT (file_id, row_no) DO NOTHING"
        }
    };
    let rows: Vec<_> = letters.iter().map(|letter| (letter.row, &letter.reason, &letter.payload)).collect();
    tx.exec(sql, vec![file.into(), list(&rows)?.into()]).await?;
    Ok(())
}

pub(super) async fn advance(tx: &impl ConnectionTrait, file: i64, counts: Counts) -> Result<(), DbError> {
    let sql = "UPDATE import_files SET row_count = $2, sale_lines = $3, return_lines = $4 \
               WHERE id = $1 AND state = 'begun' AND row_count < $2";
    let Counts { rows, sale_lines, return_lines } = counts;
    let values =
        [rows, sale_lines, return_lines].map(|count| i64::try_from(count).unwrap_or(i64::MAX).into());
    tx.exec(sql, std::iter::once(file.into()).chain(values).collect()).await?;
    Ok(())
}

pub(super) async fn finish(
    tx: &impl ConnectionTrait,
    who: &Principal,
    file: i64,
    counts: Counts,
    customers: &[i64],
    now: Timestamp,
) -> Result<(), DbError> {
    let Counts { rows, sale_lines, return_lines } = counts;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let sql = "UPDATE import_files SET state = 'done', done_at = $2, row_count = $3, sale_lines = $4, \
               return_lines = $5 WHERE id = $1 AND state = 'begun'";
    let values = [now.0, number(rows), number(sale_lines), number(return_lines)].map(Into::into);
    if tx.exec(sql, std::iter::once(file.into()).chain(values).collect()).await? == 0 {
        return Ok(());
    }
    let sql = match tx.get_database_backend() {
        DbBackend::Postgres => {
            "INSERT INTO import_customers (customer) SELECT e::bigint FROM jsonb_array_elements_text($1::jsonb) e \
             ON CONFLICT (customer) DO NOTHING"
        }
        _ => {
            "INSERT INTO import_customers (customer) SELECT value FROM json_each($1) WHERE TRUE \
             ON CONFLICT (customer) DO NOTHING"
        }
    };
    tx.exec(sql, vec![list(&customers)?.into()]).await?;
    let details = json!({ "rows": rows, "sale_lines": sale_lines, "return_lines": return_lines });
    audit::record(tx, who, "import.finish", &format!("import:{file}"), details).await
}

pub(super) async fn buried(db: &impl ConnectionTrait, file: i64, reason: &str) -> Result<Vec<u64>, DbError> {
    let sql = "SELECT row_no FROM dead_letters WHERE file_id = $1 AND reason = $2 ORDER BY row_no";
    let rows = db.rows(sql, vec![file.into(), reason.into()]).await?;
    rows.iter().map(|row| count(row, 0)).collect()
}

pub(super) async fn dead_letters(
    db: &impl ConnectionTrait,
    file: i64,
    after: u64,
    limit: u32,
) -> Result<Vec<DeadLetter>, DbError> {
    let sql = "SELECT row_no, reason, payload FROM dead_letters WHERE file_id = $1 AND row_no > $2 \
               ORDER BY row_no LIMIT $3";
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = db.rows(sql, vec![file.into(), after.into(), i64::from(limit).into()]).await?;
    rows.iter()
        .map(|row| {
            let (reason, payload) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            Ok(DeadLetter { row: count(row, 0)?, reason, payload })
        })
        .collect()
}

const FILES: &str = "SELECT id, name, state, row_count, sale_lines, return_lines FROM import_files";

pub(super) async fn files(db: &impl ConnectionTrait) -> Result<Vec<ImportFile>, DbError> {
    db.rows(&format!("{FILES} ORDER BY id"), vec![]).await?.iter().map(file).collect()
}

fn file(row: &QueryResult) -> Result<ImportFile, DbError> {
    let state: String = row.try_get_by_index(2)?;
    let counts = Counts { rows: count(row, 3)?, sale_lines: count(row, 4)?, return_lines: count(row, 5)? };
    Ok(ImportFile {
        id: row.try_get_by_index(0)?,
        name: row.try_get_by_index(1)?,
        done: state == "done",
        counts,
    })
}

pub(super) async fn totals(db: &impl ConnectionTrait) -> Result<ImportTotals, DbError> {
    let sql = "SELECT CAST(COALESCE(SUM(row_count), 0) AS BIGINT), CAST(COALESCE(SUM(sale_lines), 0) AS BIGINT), \
               CAST(COALESCE(SUM(return_lines), 0) AS BIGINT), (SELECT COUNT(*) FROM import_customers) \
               FROM import_files";
    let mut totals = ImportTotals::default();
    if let Some(row) = db.row(sql, vec![]).await? {
        totals.counts =
            Counts { rows: count(&row, 0)?, sale_lines: count(&row, 1)?, return_lines: count(&row, 2)? };
        totals.customers = count(&row, 3)?;
    }
    for row in db.rows("SELECT reason, COUNT(*) FROM dead_letters GROUP BY reason", vec![]).await? {
        totals.dead.insert(row.try_get_by_index(0)?, count(&row, 1)?);
    }
    Ok(totals)
}

pub(super) fn count(row: &QueryResult, column: usize) -> Result<u64, DbError> {
    let count: i64 = row.try_get_by_index(column)?;
    u64::try_from(count).map_err(|_| DbError::Corrupt(format!("a count of {count}")))
}

fn list(rows: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(rows).map_err(|error| DbError::Corrupt(error.to_string()))
}
