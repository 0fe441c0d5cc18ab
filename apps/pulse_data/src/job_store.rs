//! The job engine's way to this database.
//!
//! **Invariant.** On SQLite the engine writes through the one writer like everybody else, so its statements share
//! commits with the shop's. On PostgreSQL each statement commits by itself, without the two extra round trips of a
//! transaction.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, QueryResult, Statement};

use crate::{Backend, DbError, Repo};

impl jobs::Store for Repo {
    fn backend(&self) -> DbBackend {
        Self::backend(self).into()
    }

    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
        match Self::backend(self) {
            Backend::Postgres => self.reader().query_all_raw(statement),
            Backend::Sqlite => Box::pin(async move {
                self.write_with(statement, |tx, statement| {
                    async move { Ok::<_, DbError>(tx.query_all_raw(statement.clone()).await?) }.boxed()
                })
                .await
                .map_err(|error| DbErr::Custom(error.to_string()))
            }),
        }
    }

    fn listens_at(&self) -> Option<PgConnectOptions> {
        match Self::backend(self) {
            Backend::Postgres => self.reader().listens_at(),
            Backend::Sqlite => None,
        }
    }
}
