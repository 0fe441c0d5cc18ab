//! Writes on PostgreSQL: a transaction each, on connections of their own, tried again after a serialization failure.
//!
//! The connections are not the pool's. When sqlx takes one back it asks the server whether it is alive, and the readers'
//! guard against a cancelled `begin` asks once more: two round trips a write that a write can do without, because
//! nothing cuts it.
//!
//! **Invariant.** A transaction runs in a task of its own, so that a request that is dropped can't cut it. A connection
//! is kept only after the server has said that the transaction on it is over; in any other case it is closed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::RngExt as _;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

use super::RepoOptions;
use super::job::{Job, Ran};
use super::stats::Counters;
use super::tx::Tx;
use crate::DbError;

/// How often a write is tried in all.
const TRIES: u32 = 8;

/// A connection is closed after this long: a server's process keeps what it has learned of the schema, for ever.
const LIFETIME: Duration = Duration::from_mins(30);

/// How long to wait for the end of a transaction that is taken back; a statement may still be running in it.
const ROLLBACK: Duration = Duration::from_secs(1);

/// The writing connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    server: PgConnectOptions,
    acquire: Duration,
    /// One permit a write that waits or runs.
    room: Arc<Semaphore>,
    queue: u32,
    /// One permit a connection that works.
    working: Semaphore,
    idle: Mutex<Vec<Connection>>,
    counters: Arc<Counters>,
}

struct Connection {
    tx: Tx,
    opened: Instant,
}

impl Pool {
    /// Opens nothing yet: `server` has been reached before, and each connection is opened by the write that needs it.
    pub(super) fn new(server: PgConnectOptions, options: &RepoOptions, counters: Arc<Counters>) -> Self {
        let queue = u32::try_from(options.queue.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX >> 3);
        Self(Arc::new(Shared {
            server,
            acquire: options.acquire,
            room: Arc::new(Semaphore::new(queue as usize)),
            queue,
            working: Semaphore::new(options.connections.max(1) as usize),
            idle: Mutex::new(Vec::new()),
            counters,
        }))
    }

    pub(super) fn spawn(&self, mut job: Box<dyn Job>) -> Result<(), DbError> {
        let permit = Arc::clone(&self.0.room).try_acquire_owned().map_err(|refused| match refused {
            TryAcquireError::NoPermits => DbError::Overloaded,
            TryAcquireError::Closed => stopped(),
        })?;
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let end = shared.run(&mut job).await;
            shared.counters.committed(1);
            job.finish(end);
            drop(permit);
        });
        Ok(())
    }

    /// Takes no more writes, waits for those under way, and closes the connections.
    pub(super) async fn close(&self) {
        let _all = self.0.room.acquire_many(self.0.queue).await;
        self.0.room.close();
        let idle = std::mem::take(&mut *self.0.idle.lock());
        for connection in idle {
            connection.tx.close().await;
        }
    }
}

fn stopped() -> DbError {
    DbError::Unavailable("the writer has stopped".to_owned())
}

impl Shared {
    async fn run(&self, job: &mut Box<dyn Job>) -> Result<(), DbError> {
        let mut tries = 1;
        loop {
            match self.once(job).await {
                Err(DbError::Conflict(_)) if tries < TRIES => {
                    tokio::time::sleep(pause(tries)).await;
                    self.counters.retried();
                    tries += 1;
                }
                end => return end,
            }
        }
    }

    async fn once(&self, job: &mut Box<dyn Job>) -> Result<(), DbError> {
        let _working = self.turn().await?;
        let connection = self.begun().await?;
        let ran = job.run(&connection.tx).await;
        match (ran, connection.tx.take_lost()) {
            (Ran::Keep, None) => {
                connection.tx.control("COMMIT").await?;
                self.keep(connection);
                Ok(())
            }
            // The closure swallowed an error that ended its transaction: COMMIT would only roll back.
            (Ran::Keep, Some(error)) => {
                self.take_back(connection).await;
                Err(error)
            }
            (Ran::TakeBack | Ran::Cut, lost) => {
                self.take_back(connection).await;
                match lost {
                    Some(conflict @ DbError::Conflict(_)) => Err(conflict),
                    // Its own answer says more than the database's.
                    _ => Ok(()),
                }
            }
        }
    }

    /// Waits until one of the connections may work.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, DbError> {
        match tokio::time::timeout(self.acquire, self.working.acquire()).await {
            Ok(permit) => permit.map_err(|_| stopped()),
            Err(_) => Err(DbError::Overloaded),
        }
    }

    /// A connection inside a new transaction. One that the server has closed meanwhile is replaced: nothing was asked
    /// on it yet, so nothing can be done twice.
    async fn begun(&self) -> Result<Connection, DbError> {
        loop {
            let Some(connection) = self.idle.lock().pop() else { break };
            match connection.tx.control("BEGIN").await {
                Ok(()) => return Ok(connection),
                Err(DbError::Unavailable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let opened = tokio::time::timeout(self.acquire, self.server.connect()).await;
        let opened = opened.map_err(|_| {
            DbError::Unavailable(format!(
                "no new connection within {:?}: is the server running?",
                self.acquire
            ))
        })??;
        let connection = Connection { tx: Tx::postgres(opened), opened: Instant::now() };
        connection.tx.control("BEGIN").await?;
        Ok(connection)
    }

    async fn take_back(&self, connection: Connection) {
        // Dropped where that fails: the server takes the transaction back when it sees the connection gone.
        if let Ok(Ok(())) = tokio::time::timeout(ROLLBACK, connection.tx.control("ROLLBACK")).await {
            self.keep(connection);
        }
    }

    fn keep(&self, connection: Connection) {
        if connection.opened.elapsed() < LIFETIME {
            self.idle.lock().push(connection);
        }
    }
}

/// Doubles with each try, and differs between the two that were in each other's way.
fn pause(tries: u32) -> Duration {
    let most = 2_u64 << tries.min(8);
    Duration::from_millis(rand::rng().random_range(1..=most))
}
