//! A transaction in which a write's closure works.
//!
//! **Invariant.** Once the database has given the transaction up by itself (a full disk, a deadlock), every
//! further statement is refused here: on SQLite it would be committed alone.

use std::fmt;

use parking_lot::Mutex as SyncMutex;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
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
    Postgres(Mutex<PgConnection>),
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

    pub(super) fn postgres(connection: PgConnection) -> Self {
        Self { inner: Inner::Postgres(Mutex::new(connection)), lost: SyncMutex::new(None) }
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
        match &self.inner {
            Inner::Sqlite(connection) => connection.lock().await.execute(sql).await.map(drop)?,
            Inner::Postgres(connection) => connection.lock().await.execute(sql).await.map(drop)?,
        }
        Ok(())
    }

    pub(super) async fn close(self) {
        let _ = match self.inner {
            Inner::Sqlite(connection) => connection.into_inner().close().await,
            Inner::Postgres(connection) => connection.into_inner().close().await,
        };
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
        let parameters = values(&mut statement);
        let sql = sqlx::AssertSqlSafe(statement.sql);
        let result = match &self.inner {
            Inner::Sqlite(connection) => {
                let query = sqlx::query_with(sql, parameters);
                query.execute(&mut *connection.lock().await).await.map(ExecResult::from)
            }
            Inner::Postgres(connection) => {
                let query = sqlx::query_with(sql, parameters);
                query.execute(&mut *connection.lock().await).await.map(ExecResult::from)
            }
        };
        self.note(result.map_err(exec_err))
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.check()?;
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let result = match &self.inner {
            Inner::Sqlite(connection) => connection.lock().await.execute(sql).await.map(ExecResult::from),
            Inner::Postgres(connection) => connection.lock().await.execute(sql).await.map(ExecResult::from),
        };
        self.note(result.map_err(exec_err))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        // Every row is fetched: a statement with RETURNING that is left after its first row would not change the rest
        // on SQLite.
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, mut statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.check()?;
        let parameters = values(&mut statement);
        let sql = sqlx::AssertSqlSafe(statement.sql);
        let result = match &self.inner {
            Inner::Sqlite(connection) => {
                let rows = sqlx::query_with(sql, parameters).fetch_all(&mut *connection.lock().await).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
            Inner::Postgres(connection) => {
                let rows = sqlx::query_with(sql, parameters).fetch_all(&mut *connection.lock().await).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
        };
        self.note(result.map_err(exec_err))
    }
}
