//! The way to the database: reads on a pool, writes in transactions that nobody can cut.
//!
//! **Invariant.** Each [`Repo::write`] is one transaction, answered after its commit; it runs to its end even when
//! the caller goes away. On SQLite there is exactly one writing connection, so "database is locked" can't happen
//! within one program.

mod connect;
mod group;
mod job;
mod postgres;
mod stats;
mod tx;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sea_orm::{DatabaseConnection, DbBackend};

pub use stats::RepoStats;
pub use tx::Tx;

use crate::{DbError, RepoError};

/// What the closure of a write answers.
pub type WriteFuture<'t, T, E> = BoxFuture<'t, Result<T, E>>;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// One file on this machine.
    Sqlite,
    /// A server.
    Postgres,
}

impl From<Backend> for DbBackend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::Sqlite,
            Backend::Postgres => Self::Postgres,
        }
    }
}

/// When SQLite lets a commit count as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Once it is on the disk: survives a power cut.
    #[default]
    Full,
    /// Once it is with the operating system: survives a crash of the program, not a power cut.
    Normal,
}

/// How a [`Repo`] works. The defaults suit a shop on one machine.
#[derive(Debug, Clone)]
pub struct RepoOptions {
    /// Connections for reading; on PostgreSQL there are as many again for writing.
    pub connections: u32,
    /// When SQLite lets a commit count as done.
    pub synchronous: Synchronous,
    /// Writes that may wait; beyond it they are answered [`DbError::Overloaded`].
    pub queue: usize,
    /// Writes that share one commit at most (SQLite).
    pub group: usize,
    /// How long one write may take once it runs; then it is taken back.
    pub limit: Duration,
    /// How long to wait for a free connection.
    pub acquire: Duration,
}

impl Default for RepoOptions {
    fn default() -> Self {
        Self {
            connections: 8,
            synchronous: Synchronous::Full,
            queue: 4096,
            group: 64,
            limit: Duration::from_secs(30),
            acquire: Duration::from_secs(5),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Repo(Arc<Inner>);

struct Inner {
    backend: Backend,
    reader: DatabaseConnection,
    limit: Duration,
    counters: Arc<stats::Counters>,
    writer: WriteSide,
}

enum WriteSide {
    Group(group::Queue),
    Pool(postgres::Pool),
}

impl fmt::Debug for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repo").field("backend", &self.0.backend).finish_non_exhaustive()
    }
}

impl Repo {
    /// Opens the database of a URL: `sqlite://path/to/file` (made where it is missing) or
    /// `postgres://user:password@host/database`.
    pub async fn connect(url: &str, options: RepoOptions) -> Result<Self, RepoError> {
        let counters = Arc::new(stats::Counters::default());
        let inner = match connect::parse(url)? {
            connect::Target::Sqlite(file) => {
                let opened = connect::sqlite(file, &options).await?;
                let reader = opened.readers.into();
                let queue = group::start(opened.connect, opened.writer, &options, Arc::clone(&counters));
                Inner {
                    backend: Backend::Sqlite,
                    reader,
                    limit: options.limit,
                    counters,
                    writer: WriteSide::Group(queue),
                }
            }
            connect::Target::Postgres(server) => {
                let opened = connect::postgres(server, &options).await?;
                let reader = opened.readers.into();
                let pool = postgres::Pool::new(opened.server, &options, Arc::clone(&counters));
                let writer = WriteSide::Pool(pool);
                Inner { backend: Backend::Postgres, reader, limit: options.limit, counters, writer }
            }
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Which database it is.
    pub fn backend(&self) -> Backend {
        self.0.backend
    }

    /// The connections for reading. On SQLite they can't write.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.0.reader
    }

    /// Runs a closure in one transaction and answers after its commit; an `Err` takes its changes back.
    ///
    /// The closure may run more than once (a serialization failure on PostgreSQL is tried again), and runs to
    /// its end even if this future is dropped. On SQLite, closures that wait at the same time share one commit,
    /// each in a savepoint of its own. After a statement's error return it: PostgreSQL refuses all that follow.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t Tx) -> WriteFuture<'t, T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.write_with((), move |tx, ()| f(tx)).await
    }

    /// [`write`](Self::write) with an input that the closure can borrow, instead of cloning what it captured.
    pub async fn write_with<I, T, E, F>(&self, input: I, f: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t Tx, &'t I) -> WriteFuture<'t, T, E> + Send + Sync + 'static,
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.write_within(self.0.limit, input, f).await
    }

    /// [`write_with`](Self::write_with) for work that many others must not wait for: on SQLite it is done when no other write
    /// waits, or when many have gone before it, and shares no commit, so a checkout waits for one such write at most.
    pub async fn write_in_bulk<I, T, E, F>(&self, input: I, f: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t Tx, &'t I) -> WriteFuture<'t, T, E> + Send + Sync + 'static,
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (job, reply) = job::new(self.0.limit, input, f);
        self.taken(match &self.0.writer {
            WriteSide::Group(queue) => queue.push_bulk(job),
            WriteSide::Pool(pool) => pool.spawn(job),
        })?;
        answered(reply).await
    }

    fn taken(&self, taken: Result<(), DbError>) -> Result<(), DbError> {
        taken.inspect_err(|_| self.0.counters.refused())
    }

    /// [`write_with`](Self::write_with) under another time limit than the usual one.
    pub async fn write_within<I, T, E, F>(&self, limit: Duration, input: I, f: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t Tx, &'t I) -> WriteFuture<'t, T, E> + Send + Sync + 'static,
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (job, reply) = job::new(limit, input, f);
        self.taken(match &self.0.writer {
            WriteSide::Group(queue) => queue.push(job),
            WriteSide::Pool(pool) => pool.spawn(job),
        })?;
        answered(reply).await
    }

    /// What was written so far.
    pub fn stats(&self) -> RepoStats {
        self.0.counters.read()
    }

    /// Waits for the writes that were taken on, then closes every connection.
    pub async fn close(&self) {
        match &self.0.writer {
            WriteSide::Group(queue) => queue.close().await,
            WriteSide::Pool(pool) => pool.close().await,
        }
        let _ = self.0.reader.close_by_ref().await;
    }
}

async fn answered<T, E: From<DbError>>(reply: tokio::sync::oneshot::Receiver<Result<T, E>>) -> Result<T, E> {
    reply.await.unwrap_or_else(|_| Err(DbError::Unavailable("the writer has stopped".to_owned()).into()))
}
