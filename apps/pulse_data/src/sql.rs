//! Plain SQL over any SeaORM connection, with this crate's errors.
//!
//! **Invariant.** Values go in as parameters (`$1`, `$2`, … on both databases) and never into the text.

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use crate::DbError;

/// Statements as text, on a [`Tx`](crate::Tx) or on [`Repo::reader`](crate::Repo::reader).
///
/// `$1` works on SQLite too, so most statements are the same text for both databases.
#[async_trait::async_trait]
pub trait Sql: ConnectionTrait {
    /// Runs a statement; answers how many rows it changed.
    async fn exec(&self, sql: &str, values: Vec<Value>) -> Result<u64, DbError> {
        let statement = Statement::from_sql_and_values(self.get_database_backend(), sql, values);
        Ok(self.execute_raw(statement).await?.rows_affected())
    }

    /// All rows that a statement yields.
    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, DbError> {
        let statement = Statement::from_sql_and_values(self.get_database_backend(), sql, values);
        Ok(self.query_all_raw(statement).await?)
    }

    /// The first row that a statement yields.
    async fn row(&self, sql: &str, values: Vec<Value>) -> Result<Option<QueryResult>, DbError> {
        let statement = Statement::from_sql_and_values(self.get_database_backend(), sql, values);
        Ok(self.query_one_raw(statement).await?)
    }

    /// Several statements without parameters, separated by semicolons.
    async fn script(&self, sql: &str) -> Result<(), DbError> {
        self.execute_unprepared(sql).await?;
        Ok(())
    }
}

impl<C: ConnectionTrait + ?Sized> Sql for C {}
