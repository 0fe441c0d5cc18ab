//! A transaction in which a write's closure works.
//!
//! **Invariant.** Once the database has given the transaction up by itself (a full disk, a deadlock), every
//! further statement is refused here: on SQLite it would be committed alone.

use std::fmt;

use parking_lot::Mutex as SyncMutex;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tokio::sync::Mutex;

use super::Backend;
use crate::DbError;

/// An open transaction. It is a SeaORM connection, and through [`Sql`](crate::Sql) it runs plain SQL.
pub struct Tx {
    inner: Inner,
    /// Why the database gave the transaction up.
    lost: SyncMutex<Option<DbError>>,
}

enum Inner {
    Sqlite(Mutex<SqliteConnection>),
    Postgres(DatabaseTransaction),
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("backend", &self.backend()).finish_non_exhaustive()
    }
}

impl Tx {
    pub(super) fn sqlite(connection: SqliteConnection) -> Self {
        Self { inner: Inner::Sqlite(Mutex::new(connection)), lost: SyncMutex::new(None) }
    }

    pub(super) fn postgres(transaction: DatabaseTransaction) -> Self {
        Self { inner: Inner::Postgres(transaction), lost: SyncMutex::new(None) }
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        match self.inner {
            Inner::Sqlite(_) => Backend::Sqlite,
            Inner::Postgres(_) => Backend::Postgres,
        }
    }

    /// Takes the reason why the database gave the transaction up, if it did.
    pub(super) fn take_lost(&self) -> Option<DbError> {
        self.lost.lock().take()
    }

    /// BEGIN, SAVEPOINT, COMMIT and their like, on the writer's connection.
    pub(super) async fn control(&self, sql: &'static str) -> Result<(), DbError> {
        let Inner::Sqlite(connection) = &self.inner else { return Ok(()) };
        connection.lock().await.execute(sql).await?;
        Ok(())
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        match self.inner {
            Inner::Sqlite(_) => Ok(()),
            Inner::Postgres(transaction) => transaction.commit().await,
        }
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        match self.inner {
            Inner::Sqlite(_) => Ok(()),
            Inner::Postgres(transaction) => transaction.rollback().await,
        }
    }

    pub(super) async fn close(self) {
        if let Inner::Sqlite(connection) = self.inner {
            let _ = connection.into_inner().close().await;
        }
    }

    fn check(&self) -> Result<(), DbErr> {
        match &*self.lost.lock() {
            None => Ok(()),
            Some(error) => Err(DbErr::Conn(RuntimeErr::Internal(error.to_string()))),
        }
    }

    /// Notes an error after which the transaction is gone.
    fn note<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &result {
            let known = DbError::from(error.clone());
            if matches!(known, DbError::Unavailable(_) | DbError::Corrupt(_) | DbError::Conflict(_)) {
                self.lost.lock().get_or_insert(known);
            }
        }
        result
    }
}

fn values(statement: &mut Statement) -> SqlxValues {
    SqlxValues(statement.values.take().unwrap_or(sea_orm::Values(Vec::new())))
}

fn exec_err(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.backend().into()
    }

    async fn execute_raw(&self, mut statement: Statement) -> Result<ExecResult, DbErr> {
        self.check()?;
        let result = match &self.inner {
            Inner::Postgres(transaction) => transaction.execute_raw(statement).await,
            Inner::Sqlite(connection) => {
                let values = values(&mut statement);
                let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql), values);
                query.execute(&mut *connection.lock().await).await.map(ExecResult::from).map_err(exec_err)
            }
        };
        self.note(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.check()?;
        let result = match &self.inner {
            Inner::Postgres(transaction) => transaction.execute_unprepared(sql).await,
            Inner::Sqlite(connection) => {
                let sql = sqlx::AssertSqlSafe(sql.to_owned());
                connection.lock().await.execute(sql).await.map(ExecResult::from).map_err(exec_err)
            }
        };
        self.note(result)
    }

    async fn query_one_raw(&self, mut statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.check()?;
        let result = match &self.inner {
            Inner::Postgres(transaction) => transaction.query_one_raw(statement).await,
            Inner::Sqlite(connection) => {
                let values = values(&mut statement);
                let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql), values);
                // Every row is fetched: a statement with RETURNING that is left after its first row would not
                // change the rest.
                let rows = query.fetch_all(&mut *connection.lock().await).await.map_err(exec_err);
                rows.map(|rows| rows.into_iter().next().map(QueryResult::from))
            }
        };
        self.note(result)
    }

    async fn query_all_raw(&self, mut statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.check()?;
        let result = match &self.inner {
            Inner::Postgres(transaction) => transaction.query_all_raw(statement).await,
            Inner::Sqlite(connection) => {
                let values = values(&mut statement);
                let query = sqlx::query_with(sqlx::AssertSqlSafe(statement.sql), values);
                let rows = query.fetch_all(&mut *connection.lock().await).await.map_err(exec_err);
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
        };
        self.note(result)
    }
}
