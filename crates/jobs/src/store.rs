//! How the engine reaches its database: one statement at a time.
//!
//! **Invariant.** Each thing that the engine does to its tables (take, acknowledge, renew, rescue, stage, prune) is *one*
//! statement, atomic by itself. So the engine needs no transactions of its own, and a shop with a single SQLite
//! writer passes that writer's door in as a [`Store`].

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};

/// Runs the engine's statements.
pub trait Store: Send + Sync + 'static {
    /// Which SQL to speak.
    fn backend(&self) -> DbBackend;

    /// Runs one writing statement, durably, and answers the rows of its RETURNING. May be run again only if it
    /// is known not to have been committed.
    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>>;

    /// Where a connection of the engine's own can LISTEN, on PostgreSQL. Without one, this engine hears of what
    /// other processes have enqueued at its next poll.
    fn listens_at(&self) -> Option<PgConnectOptions> {
        None
    }
}

/// A connection by itself is a store: each statement commits alone. On SQLite it must be the only writer, or
/// have a busy timeout.
impl Store for DatabaseConnection {
    fn backend(&self) -> DbBackend {
        self.get_database_backend()
    }

    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(self.query_all_raw(statement))
    }

    fn listens_at(&self) -> Option<PgConnectOptions> {
        let postgres = self.get_database_backend() == DbBackend::Postgres;
        postgres.then(|| self.get_postgres_connection_pool().connect_options().as_ref().clone())
    }
}

/// A store that waits no longer than [`LIMIT`] for an answer: a server that vanished without a word would keep it waiting
/// for a quarter of an hour.
pub(crate) struct Limited(pub(crate) Arc<dyn Store>);

/// Longer than any statement of an engine takes on a database that works.
const LIMIT: Duration = Duration::from_secs(30);

impl Store for Limited {
    fn backend(&self) -> DbBackend {
        self.0.backend()
    }

    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(async move {
            let answer = tokio::time::timeout(LIMIT, self.0.run(statement)).await;
            answer.unwrap_or_else(|_| {
                Err(DbErr::Custom(format!("the database gave no answer within {LIMIT:?}")))
            })
        })
    }

    fn listens_at(&self) -> Option<PgConnectOptions> {
        self.0.listens_at()
    }
}
