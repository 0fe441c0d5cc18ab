//! SQLite's one writer, and its group commit.
//!
//! Writes that wait at the same time run one after the other inside one outer transaction, each in a savepoint of
//! its own, and are answered after the one COMMIT that makes them durable. Under load a group fills by itself while
//! the one before is on its way to the disk; a lone write waits for nobody. Bulk writes stand in a line of their own: each
//! has a commit of its own, when nobody else waits or [`BEFORE_BULK`] groups have gone before it.
//!
//! **Invariant.** Nobody is answered before the outer COMMIT is. A write that fails takes back its own changes only;
//! one that breaks the whole transaction (a full disk, a statement over its time limit) is answered with that, and
//! the others of its group are tried again, each alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::RepoOptions;
use super::job::{self, Job, Ran};
use super::stats::Counters;
use super::tx::Tx;
use crate::DbError;

/// Opens a new writing connection, after the old one was lost.
pub(super) type Connect =
    Box<dyn Fn() -> BoxFuture<'static, Result<SqliteConnection, sqlx::Error>> + Send + Sync>;

/// A group takes no more writes after this long, so that the first in it does not wait for ever.
const GROUP_TIME: Duration = Duration::from_millis(10);

/// Groups that go before a bulk write that waits, so that it is not put off for ever.
const BEFORE_BULK: u32 = 8;

enum Message {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// Where writes wait for the writer.
pub(super) struct Queue {
    usual: mpsc::Sender<Message>,
    bulk: mpsc::Sender<Box<dyn Job>>,
}

fn taken<T>(sent: Result<(), mpsc::error::TrySendError<T>>) -> Result<(), DbError> {
    sent.map_err(|refused| match refused {
        mpsc::error::TrySendError::Full(_) => DbError::Overloaded,
        mpsc::error::TrySendError::Closed(_) => DbError::Unavailable("the writer has stopped".to_owned()),
    })
}

impl Queue {
    pub(super) fn push(&self, job: Box<dyn Job>) -> Result<(), DbError> {
        taken(self.usual.try_send(Message::Write(job)))
    }

    pub(super) fn push_bulk(&self, job: Box<dyn Job>) -> Result<(), DbError> {
        taken(self.bulk.try_send(job))
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.usual.send(Message::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

/// When the running write is over its time, in milliseconds of the writer's own count; the connection's progress
/// handler reads it, so that even a statement that never ends is interrupted.
#[derive(Clone)]
pub(super) struct Deadline {
    start: Instant,
    at: Arc<AtomicU64>,
}

impl Deadline {
    fn new() -> Self {
        Self { start: Instant::now(), at: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn set(&self, limit: Duration) {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.at.store(self.now().saturating_add(limit), Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.now() > self.at.load(Ordering::Relaxed)
    }
}

pub(super) fn start(
    connect: Connect,
    first: SqliteConnection,
    options: &RepoOptions,
    counters: Arc<Counters>,
) -> Queue {
    let (usual, queue) = mpsc::channel(options.queue.max(1));
    let (to_bulk, bulk) = mpsc::channel(options.queue.max(1));
    let writer = Writer {
        connect,
        tx: None,
        first: Some(first),
        queue,
        bulk,
        group: options.group.max(1),
        deadline: Deadline::new(),
        counters,
    };
    tokio::spawn(writer.run());
    Queue { usual, bulk: to_bulk }
}

struct Writer {
    connect: Connect,
    /// `None` until the first write, and after the connection was lost.
    tx: Option<Tx>,
    first: Option<SqliteConnection>,
    queue: mpsc::Receiver<Message>,
    bulk: mpsc::Receiver<Box<dyn Job>>,
    group: usize,
    deadline: Deadline,
    counters: Arc<Counters>,
}

/// What the next statement that separates two writes has to do.
#[derive(Clone, Copy)]
enum Mark {
    /// Nothing is open.
    Closed,
    /// The write before this one is to be kept.
    Kept,
    /// The write before this one is to be taken back; its savepoint is used again.
    TakenBack,
}

impl Mark {
    const fn before_write(self) -> &'static str {
        match self {
            Self::Closed => "BEGIN IMMEDIATE; SAVEPOINT w",
            Self::Kept => "RELEASE w; SAVEPOINT w",
            Self::TakenBack => "ROLLBACK TO w",
        }
    }

    const fn at_end(self) -> &'static str {
        match self {
            Self::Closed | Self::Kept => "COMMIT",
            Self::TakenBack => "ROLLBACK TO w; COMMIT",
        }
    }
}

impl Writer {
    async fn run(mut self) {
        let mut before_bulk = 0;
        let done = loop {
            if before_bulk >= BEFORE_BULK
                && let Ok(job) = self.bulk.try_recv()
            {
                before_bulk = 0;
                self.alone(job).await;
            }
            tokio::select! {
                biased;
                message = self.queue.recv() => match message {
                    Some(Message::Write(job)) => {
                        before_bulk += 1;
                        if let Some(done) = self.group(job).await {
                            break Some(done);
                        }
                    }
                    Some(Message::Close(done)) => break Some(done),
                    None => break None,
                },
                Some(job) = self.bulk.recv() => {
                    before_bulk = 0;
                    self.alone(job).await;
                }
            }
        };
        // What was taken on is done before the end.
        while let Ok(job) = self.bulk.try_recv() {
            self.alone(job).await;
        }
        self.close(done).await;
    }

    async fn close(mut self, done: Option<oneshot::Sender<()>>) {
        if let Some(tx) = self.tx.take() {
            tx.close().await;
        }
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    /// One outer transaction: the first write and those that wait behind it. Answers whoever wants the writer
    /// closed, if somebody does.
    async fn group(&mut self, first: Box<dyn Job>) -> Option<oneshot::Sender<()>> {
        let started = Instant::now();
        let mut closing = None;
        let mut done: Vec<Box<dyn Job>> = Vec::new();
        let mut mark = Mark::Closed;
        let mut next = Some(first);
        let mut broken = false;
        while let Some(mut job) = next.take() {
            match self.one(&mut job, mark).await {
                Ok(after) => {
                    mark = after;
                    done.push(job);
                }
                Err(error) => {
                    job.finish(Err(error));
                    broken = true;
                    break;
                }
            }
            if done.len() < self.group && started.elapsed() < GROUP_TIME {
                match self.queue.try_recv() {
                    Ok(Message::Write(job)) => next = Some(job),
                    Ok(Message::Close(sender)) => closing = Some(sender),
                    Err(_) => {}
                }
            }
        }
        if broken {
            self.give_up().await;
            for job in done {
                self.counters.retried();
                self.alone(job).await;
            }
        } else {
            let end = self.commit(mark).await;
            self.counters.committed(done.len());
            for job in done {
                job.finish(end.clone());
            }
        }
        closing
    }

    /// A write in a transaction of its own: a bulk one, or one that was in a group which broke.
    async fn alone(&mut self, mut job: Box<dyn Job>) {
        let end = match self.one(&mut job, Mark::Closed).await {
            Ok(mark) => self.commit(mark).await,
            Err(error) => {
                self.give_up().await;
                Err(error)
            }
        };
        self.counters.committed(1);
        job.finish(end);
    }

    /// Runs one write behind `mark`. An error here means that the whole outer transaction is lost.
    async fn one(&mut self, job: &mut Box<dyn Job>, mark: Mark) -> Result<Mark, DbError> {
        let deadline = self.deadline.clone();
        let tx = self.connected().await?;
        tx.control(mark.before_write()).await?;
        deadline.set(job.limit());
        let ran = job.run(tx).await;
        match (tx.take_lost(), ran) {
            (Some(error), _) => Err(error),
            // Its last statement may still run, and takes the transaction with it when it is interrupted.
            (None, Ran::Cut) => Err(job::overdue(job.limit())),
            (None, Ran::Keep) => Ok(Mark::Kept),
            (None, Ran::TakeBack) => Ok(Mark::TakenBack),
        }
    }

    async fn commit(&mut self, mark: Mark) -> Result<(), DbError> {
        let end = self.connected().await?.control(mark.at_end()).await;
        if end.is_err() {
            self.give_up().await;
        }
        end
    }

    /// Rolls back what is open; a connection that can't is replaced.
    async fn give_up(&mut self) {
        let Some(tx) = self.tx.take() else { return };
        tx.take_lost();
        match tx.control("ROLLBACK").await {
            // Refused where SQLite has rolled back by itself: then there is nothing to roll back.
            Ok(()) | Err(DbError::Other(_)) => self.tx = Some(tx),
            Err(error) => {
                tracing::warn!(%error, "the writing connection was lost: it is opened anew");
                tx.close().await;
            }
        }
    }

    async fn connected(&mut self) -> Result<&Tx, DbError> {
        if self.tx.is_none() {
            let mut connection = match self.first.take() {
                Some(connection) => connection,
                None => (self.connect)().await?,
            };
            let deadline = self.deadline.clone();
            let mut handle = connection.lock_handle().await?;
            handle.set_progress_handler(10_000, move || !deadline.is_over());
            drop(handle);
            self.tx = Some(Tx::sqlite(connection));
        }
        self.tx.as_ref().ok_or_else(|| DbError::Unavailable("no writing connection".to_owned()))
    }
}
