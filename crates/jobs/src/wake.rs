//! Telling engines that there is something to do.
//!
//! **Invariant.** A wake is a hint: one too many costs a statement that finds nothing, a missing one at most
//! [`Options::poll`](crate::Options::poll). Wakes that come faster than they are heard become one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};
use tokio::sync::Notify;

/// The channel of PostgreSQL's NOTIFY.
pub(crate) const CHANNEL: &str = "jobs";

/// The word for "queues were changed or running jobs cancelled"; no queue has this name, for it is empty.
pub(crate) const CONTROL: &str = "";

/// Tells the engine of this process that there is work, and through it, on PostgreSQL, the engines of all others; call
/// it after the commit.
///
/// Why not a NOTIFY in the enqueuing transaction: PostgreSQL lets only one transaction with a NOTIFY commit at a time, so
/// every checkout would wait for the disk behind every other.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    queues: Mutex<BTreeMap<String, Arc<Notify>>>,
    control: Notify,
    recall: Notify,
    /// Somebody sends what is in the outbox on to other nodes.
    sends: AtomicBool,
    outbox: Mutex<BTreeSet<String>>,
    posted: Notify,
}

impl Wake {
    /// A handle that wakes nothing until an engine is started with it.
    pub fn new() -> Self {
        Self::default()
    }

    /// There is work in that queue.
    pub fn queue(&self, queue: &str) {
        self.here(queue);
        self.post(queue);
    }

    /// There may be work anywhere.
    pub fn all(&self) {
        let known: Vec<String> = lock(&self.0.queues).keys().cloned().collect();
        for queue in known {
            self.queue(&queue);
        }
    }

    /// Queues were paused, resumed or scaled, or running jobs cancelled: look at once. (On PostgreSQL the functions that
    /// do it tell all nodes by themselves.)
    pub fn control(&self) {
        self.control_here();
        self.post(CONTROL);
    }

    /// A queue of this process alone.
    pub(crate) fn here(&self, queue: &str) {
        if let Some(notify) = lock(&self.0.queues).get(queue) {
            notify.notify_one();
        }
    }

    /// All queues of this process alone.
    pub(crate) fn all_here(&self) {
        for notify in lock(&self.0.queues).values() {
            notify.notify_one();
        }
    }

    pub(crate) fn control_here(&self) {
        self.0.control.notify_one();
        self.0.recall.notify_one();
        self.all_here();
    }

    /// Ends when queues may have changed.
    pub(crate) async fn controlled(&self) {
        self.0.control.notified().await;
    }

    /// Ends when running jobs may have been cancelled.
    pub(crate) async fn recalled(&self) {
        self.0.recall.notified().await;
    }

    pub(crate) fn register(&self, queue: &str) -> Arc<Notify> {
        Arc::clone(lock(&self.0.queues).entry(queue.to_owned()).or_default())
    }

    fn post(&self, word: &str) {
        if self.0.sends.load(Ordering::Relaxed) {
            lock(&self.0.outbox).insert(word.to_owned());
            self.0.posted.notify_one();
        }
    }

    /// From now on there is somebody who sends what is posted.
    pub(crate) fn send_on(&self, sends: bool) {
        self.0.sends.store(sends, Ordering::Relaxed);
    }

    /// What is to be sent, once there is something.
    pub(crate) async fn posted(&self) -> BTreeSet<String> {
        loop {
            let words = std::mem::take(&mut *lock(&self.0.outbox));
            if !words.is_empty() {
                return words;
            }
            self.0.posted.notified().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The statement that says words to all nodes but `node`.
pub(crate) fn notification(node: &str, words: impl IntoIterator<Item = String>) -> Statement {
    let words: Vec<String> = words.into_iter().map(|word| format!("{node}|{word}")).collect();
    let values: [Value; 2] = [CHANNEL.into(), serde_json::json!(words).to_string().into()];
    let sql = "SELECT pg_notify($1, word) FROM json_array_elements_text($2::json) AS w(word)";
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Tells the engines of all processes that there is work in a queue, from a process that runs none; call it after the
/// commit. Does nothing on SQLite, where they find it at their next poll.
pub async fn notify<C: ConnectionTrait>(conn: &C, queue: &str) -> Result<(), DbErr> {
    tell(conn, queue).await
}

/// Tells all nodes that queues or running jobs were changed, at the commit of the caller's transaction.
pub(crate) async fn tell<C: ConnectionTrait>(conn: &C, word: &str) -> Result<(), DbErr> {
    if conn.get_database_backend() == DbBackend::Postgres {
        conn.query_all_raw(notification("", [word.to_owned()])).await?;
    }
    Ok(())
}
