//! Connections and transactions; nothing to write here.
//!
//! **Invariant.** A transaction that is dropped without its commit leaves nothing behind. SQLite has one writer, whose
//! transactions begin as writers: two that read first and want to write later would lock each other out.

use std::future::Future;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, QueryResult, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait, Value,
};
use sqlx::Executor as _;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use crate::DbError;
use crate::schema;

/// A database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    meter: Arc<Meter>,
}

/// Counts statements and rows, and cuts a connection where a test wants it cut.
#[derive(Debug, Default)]
struct Meter {
    statements: AtomicU64,
    rows: AtomicU64,
    /// Statements that may still run; below zero: no limit.
    until_cut: AtomicI64,
}

/// An open transaction.
pub struct Tx {
    inner: DatabaseTransaction,
    meter: Arc<Meter>,
}

/// What runs SQL: a [`Tx`], or a [`Db`] for what only reads. `$1` is the first parameter on both databases.
pub trait Sql: Sync {
    /// Runs a statement; answers how many rows it changed.
    fn exec(&self, sql: &str, values: Vec<Value>) -> impl Future<Output = Result<u64, DbError>> + Send;

    /// All rows that a statement yields.
    fn rows(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<QueryResult>, DbError>> + Send;
}

impl Db {
    /// Opens `sqlite://FILE` (made where it is missing) or `postgres://…`, and creates the tables.
    pub async fn open(url: &str) -> Result<Self, DbError> {
        let unusable = |error: sqlx::Error| DbError::Unavailable(format!("{url}: {error}"));
        let (writer, reader) = if url.starts_with("sqlite:") {
            let file = SqliteConnectOptions::from_str(url).map_err(unusable)?;
            let file = file.foreign_keys(true).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
            let file = file.busy_timeout(Duration::from_secs(5));
            let writer = SqlitePoolOptions::new().max_connections(1).connect_with(file.clone());
            let reader = SqlitePoolOptions::new().max_connections(4).connect_lazy_with(file);
            (DatabaseConnection::from(writer.await.map_err(unusable)?), DatabaseConnection::from(reader))
        } else {
            let pool = PgPoolOptions::new()
                .max_connections(16)
                // A `begin` that was cancelled leaves its connection inside a transaction that the driver does not know of.
                .after_release(|connection, _| {
                    Box::pin(async move {
                        connection.execute("BEGIN; ROLLBACK").await?;
                        Ok(true)
                    })
                });
            let pool = DatabaseConnection::from(pool.connect(url).await.map_err(unusable)?);
            (pool.clone(), pool)
        };
        let meter = Meter { until_cut: AtomicI64::new(-1), ..Meter::default() };
        let db = Self { writer, reader, meter: Arc::new(meter) };
        db.writer.execute_unprepared(&schema::create(db.backend())).await?;
        Ok(db)
    }

    /// Which database it is.
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// Begins a transaction. Its end is [`Tx::commit`]; dropped before, it leaves nothing behind.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Tx { inner: self.writer.begin_with_options(options).await?, meter: Arc::clone(&self.meter) })
    }

    /// How many statements have run so far, commits included.
    pub fn statements(&self) -> u64 {
        self.meter.statements.load(Ordering::Relaxed)
    }

    /// How many rows have been read so far, those of transactions included.
    pub fn rows_read(&self) -> u64 {
        self.meter.rows.load(Ordering::Relaxed)
    }

    /// After so many more statements the connection is cut: the next one, a commit too, does not happen. Then all is
    /// well again.
    pub fn cut_after(&self, statements: u32) {
        self.meter.until_cut.store(i64::from(statements), Ordering::Relaxed);
    }

    /// Closes all connections.
    pub async fn close(self) {
        let _ = self.reader.close().await;
        let _ = self.writer.close().await;
    }
}

impl Tx {
    /// Makes everything of this transaction true at once.
    pub async fn commit(self) -> Result<(), DbError> {
        self.meter.count()?;
        Ok(self.inner.commit().await?)
    }
}

impl Meter {
    fn count(&self) -> Result<(), DbError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let left = |left: i64| (left >= 0).then(|| left - 1);
        match self.until_cut.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left) {
            Ok(0) => Err(DbError::Unavailable("the connection was cut".to_owned())),
            _ => Ok(()),
        }
    }
}

async fn exec(on: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<u64, DbError> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Ok(on.execute_raw(statement).await?.rows_affected())
}

async fn rows(
    on: &impl ConnectionTrait,
    meter: &Meter,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<QueryResult>, DbError> {
    meter.count()?;
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    let rows = on.query_all_raw(statement).await?;
    meter.rows.fetch_add(rows.len() as u64, Ordering::Relaxed);
    Ok(rows)
}

impl Sql for Tx {
    async fn exec(&self, sql: &str, values: Vec<Value>) -> Result<u64, DbError> {
        self.meter.count()?;
        exec(&self.inner, sql, values).await
    }

    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, DbError> {
        rows(&self.inner, &self.meter, sql, values).await
    }
}

impl Sql for Db {
    async fn exec(&self, sql: &str, values: Vec<Value>) -> Result<u64, DbError> {
        self.meter.count()?;
        exec(&self.writer, sql, values).await
    }

    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, DbError> {
        rows(&self.reader, &self.meter, sql, values).await
    }
}
