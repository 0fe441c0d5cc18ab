//! How the outbox reaches its database: one statement at a time.
//!
//! **Invariant.** Each thing that is done to the table is *one* statement, atomic by itself. So it needs no transactions
//! of its own, and a program with a single SQLite writer passes that writer's door in as a [`Store`].

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};

use crate::ack::BoxFuture;

/// Runs the outbox's statements.
pub trait Store: Send + Sync + 'static {
    /// Which SQL to speak.
    fn backend(&self) -> DbBackend;

    /// Runs one statement, durably, and answers its rows. May be run again only if it is known not to have been
    /// committed.
    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>>;
}

/// A connection by itself is a store: each statement commits alone. On SQLite it must be the only writer, or have a
/// busy timeout.
impl Store for DatabaseConnection {
    fn backend(&self) -> DbBackend {
        self.get_database_backend()
    }

    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(self.query_all_raw(statement))
    }
}
