//! Sealing: committed rows get their place in the chain.
//!
//! **Invariant.** Numbers are gapless and each committed row gets exactly one, whichever instance seals. Rows are taken
//! in the order of their ids *as they become visible*: on PostgreSQL a lower id may commit later than a higher one,
//! and is then sealed later. No number depends on an id.

use std::time::Duration;

use futures::FutureExt as _;
use sea_orm::{ConnectionTrait, QueryResult};
use tokio_util::sync::CancellationToken;

use super::chain::{Fields, Hash, Head, hex, link, unhex};
use crate::{Backend, DbError, Repo, Sql as _, Tx};

/// Rows sealed in one transaction at most.
const BATCH: i64 = 500;

/// Seals committed rows. Any number of instances may run; the head row's lock lets one work at a time.
#[derive(Debug, Clone)]
pub struct Sealer {
    repo: Repo,
}

impl Sealer {
    /// A sealer for this database.
    pub fn new(repo: Repo) -> Self {
        Self { repo }
    }

    /// Seals everything that is committed now; answers how many rows that were.
    pub async fn seal(&self) -> Result<u64, DbError> {
        let mut sealed = 0;
        loop {
            let batch = self.repo.write(|tx| seal_batch(tx).boxed()).await?;
            sealed += batch;
            if batch < BATCH.unsigned_abs() {
                return Ok(sealed);
            }
        }
    }

    /// Seals every `pause` until `stop`, and a last time then.
    pub async fn run(self, pause: Duration, stop: CancellationToken) {
        loop {
            let last = stop.is_cancelled();
            match self.unsealed().await {
                Ok(false) => {}
                Ok(true) => match self.seal().await {
                    Ok(rows) => tracing::debug!(rows, "audit rows sealed"),
                    Err(error) => tracing::warn!(%error, "audit rows can't be sealed; trying again"),
                },
                Err(error) => tracing::warn!(%error, "the audit trail can't be read; trying again"),
            }
            if last {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Whether there is anything to do, asked without a transaction: the usual answer is no.
    async fn unsealed(&self) -> Result<bool, DbError> {
        const SQL: &str = "SELECT id FROM audit_log WHERE seal_no IS NULL LIMIT 1";
        Ok(self.repo.reader().row(SQL, vec![]).await?.is_some())
    }
}

/// The end of the chain, for an export.
pub async fn head(repo: &Repo) -> Result<Head, DbError> {
    read_head(repo.reader(), "").await
}

async fn read_head(db: &impl ConnectionTrait, lock: &str) -> Result<Head, DbError> {
    let sql = format!("SELECT seal_no, hash FROM audit_head WHERE id = 1 {lock}");
    let row = db.row(&sql, vec![]).await?;
    let row = row.ok_or_else(|| DbError::Corrupt("the audit trail has no head row".to_owned()))?;
    Ok(Head { seal_no: row.try_get("", "seal_no")?, hash: row.try_get("", "hash")? })
}

/// The hashed columns as the bytes of their text.
pub(super) const fn hashed(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => {
            "CAST(id AS BLOB) AS f0, CAST(at AS BLOB) AS f1, CAST(who AS BLOB) AS f2, \
             CAST(action AS BLOB) AS f3, CAST(subject AS BLOB) AS f4, CAST(details AS BLOB) AS f5"
        }
        Backend::Postgres => {
            "convert_to(id::text, 'UTF8') AS f0, convert_to(at::text, 'UTF8') AS f1, \
             convert_to(who, 'UTF8') AS f2, convert_to(action, 'UTF8') AS f3, \
             convert_to(subject, 'UTF8') AS f4, convert_to(details, 'UTF8') AS f5"
        }
    }
}

pub(super) fn fields(row: &QueryResult) -> Result<Fields, DbError> {
    let field = |name: &str| -> Result<Option<Vec<u8>>, DbError> { Ok(row.try_get("", name)?) };
    Ok([field("f0")?, field("f1")?, field("f2")?, field("f3")?, field("f4")?, field("f5")?])
}

async fn seal_batch(tx: &Tx) -> Result<u64, DbError> {
    let lock = match tx.backend() {
        Backend::Sqlite => "",
        Backend::Postgres => "FOR UPDATE",
    };
    // The lock first, then the look: in READ COMMITTED each statement sees what is committed when it begins.
    let start = read_head(tx, lock).await?;
    let mut previous: Hash = unhex(start.hash.as_bytes())
        .ok_or_else(|| DbError::Corrupt(format!("the audit head's hash is {:?}", start.hash)))?;
    let select = format!(
        "SELECT id, {} FROM audit_log WHERE seal_no IS NULL ORDER BY id LIMIT {BATCH}",
        hashed(tx.backend())
    );
    let rows = tx.rows(&select, vec![]).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut seal_no = start.seal_no;
    let mut seals = Vec::with_capacity(rows.len());
    for row in &rows {
        seal_no += 1;
        previous = link(&previous, seal_no, &fields(row)?);
        let id: i64 = row.try_get("", "id")?;
        seals.push(serde_json::json!({ "id": id, "seal_no": seal_no, "hash": hex(&previous) }));
    }
    let source = match tx.backend() {
        Backend::Sqlite => {
            "(SELECT value->>'id' AS id, value->>'seal_no' AS seal_no, value->>'hash' AS hash \
             FROM json_each($1)) AS s"
        }
        Backend::Postgres => "json_to_recordset($1::json) AS s(id bigint, seal_no bigint, hash text)",
    };
    let update = format!(
        "UPDATE audit_log SET seal_no = s.seal_no, hash = s.hash FROM {source} \
         WHERE audit_log.id = s.id AND audit_log.seal_no IS NULL"
    );
    let count = tx.exec(&update, vec![serde_json::Value::Array(seals).to_string().into()]).await?;
    if count != rows.len() as u64 {
        return Err(DbError::Conflict("audit rows changed while they were sealed".to_owned()));
    }
    tx.exec(
        "UPDATE audit_head SET seal_no = $1, hash = $2 WHERE id = 1",
        vec![seal_no.into(), hex(&previous).into()],
    )
    .await?;
    Ok(count)
}
