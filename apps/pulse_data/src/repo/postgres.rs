//! Writes on PostgreSQL: a transaction each, on the pool, tried again after a serialization failure.
//!
//! **Invariant.** A transaction runs in a task of its own, so that a request that is dropped can't cut it, not even
//! between BEGIN and the first statement (where sqlx would give the connection back inside a transaction).

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use sea_orm::{DatabaseConnection, TransactionTrait as _};
use tokio::sync::Semaphore;

use super::job::{Job, Ran};
use super::stats::Counters;
use super::tx::Tx;
use crate::DbError;

/// How often a write is tried in all.
const TRIES: u32 = 8;

/// The pool as writes see it.
pub(super) struct Pool {
    connections: DatabaseConnection,
    /// One permit a write that waits or runs.
    room: Arc<Semaphore>,
    counters: Arc<Counters>,
}

impl Pool {
    pub(super) fn new(pool: DatabaseConnection, queue: usize, counters: Arc<Counters>) -> Self {
        Self {
            connections: pool,
            room: Arc::new(Semaphore::new(queue.clamp(1, Semaphore::MAX_PERMITS))),
            counters,
        }
    }

    pub(super) fn spawn(&self, mut job: Box<dyn Job>) -> Result<(), DbError> {
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(|_| DbError::Overloaded)?;
        let pool = self.connections.clone();
        let counters = Arc::clone(&self.counters);
        tokio::spawn(async move {
            let end = run(&pool, &mut job, &counters).await;
            counters.committed(1);
            drop(permit);
            job.finish(end);
        });
        Ok(())
    }
}

async fn run(pool: &DatabaseConnection, job: &mut Box<dyn Job>, counters: &Counters) -> Result<(), DbError> {
    let mut tries = 1;
    loop {
        match once(pool, job).await {
            Err(DbError::Conflict(_)) if tries < TRIES => {
                tokio::time::sleep(pause(tries)).await;
                counters.retried();
                tries += 1;
            }
            end => return end,
        }
    }
}

async fn once(pool: &DatabaseConnection, job: &mut Box<dyn Job>) -> Result<(), DbError> {
    let tx = Tx::postgres(pool.begin().await?);
    if job.run(&tx).await == Ran::Keep {
        return match tx.take_lost() {
            // The closure swallowed an error that ended its transaction: COMMIT would only roll back.
            Some(error) => {
                let _ = tx.rollback().await;
                Err(error)
            }
            None => Ok(tx.commit().await?),
        };
    }
    let lost = tx.take_lost();
    let _ = tx.rollback().await;
    match lost {
        Some(conflict @ DbError::Conflict(_)) => Err(conflict),
        // Its own answer says more than the database's.
        _ => Ok(()),
    }
}

/// Doubles with each try, and differs between the two that were in each other's way.
fn pause(tries: u32) -> Duration {
    let most = 2_u64 << tries.min(8);
    Duration::from_millis(rand::rng().random_range(1..=most))
}
