//! One write as the writer sees it: a closure of any types, and where its answer goes.
//!
//! **Invariant.** A job is answered exactly once, and only by [`Job::finish`] after its transaction's end is known.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::WriteFuture;
use super::tx::Tx;
use crate::DbError;

/// A write whose types are hidden, so that writes of all kinds can wait in one queue.
pub(super) trait Job: Send {
    /// Runs the closure to its end, its time limit, or its panic.
    fn run<'t>(&'t mut self, tx: &'t Tx) -> BoxFuture<'t, Ran>;

    /// How long it may run.
    fn limit(&self) -> Duration;

    /// Sends the answer: the closure's own after `Ok`, else this error.
    fn finish(self: Box<Self>, end: Result<(), DbError>);
}

/// How a closure ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// Its changes are to be kept.
    Keep,
    /// It said no, or panicked.
    TakeBack,
    /// It was dropped in the middle of whatever it did; a statement may still be running.
    Cut,
}

struct Write<I, T, E, F> {
    limit: Duration,
    input: I,
    f: F,
    answer: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

pub(super) fn new<I, T, E, F>(
    limit: Duration,
    input: I,
    f: F,
) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: for<'t> Fn(&'t Tx, &'t I) -> WriteFuture<'t, T, E> + Send + Sync + 'static,
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    (Box::new(Write { limit, input, f, answer: None, reply }), receiver)
}

impl<I, T, E, F> Job for Write<I, T, E, F>
where
    F: for<'t> Fn(&'t Tx, &'t I) -> WriteFuture<'t, T, E> + Send + Sync + 'static,
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t Tx) -> BoxFuture<'t, Ran> {
        Box::pin(async move {
            let Self { limit, input, f, answer, .. } = self;
            // The closure itself may panic before its future exists.
            let run = async { f(tx, input).await };
            let end = tokio::time::timeout(*limit, AssertUnwindSafe(run).catch_unwind()).await;
            let (ran, result) = match end {
                Ok(Ok(Ok(value))) => (Ran::Keep, Ok(value)),
                Ok(Ok(Err(error))) => (Ran::TakeBack, Err(error)),
                Ok(Err(panic)) => {
                    let error = DbError::Other(format!("the write panicked: {}", text(&*panic)));
                    (Ran::TakeBack, Err(error.into()))
                }
                Err(_) => (Ran::Cut, Err(overdue(*limit).into())),
            };
            *answer = Some(result);
            ran
        })
    }

    fn limit(&self) -> Duration {
        self.limit
    }

    fn finish(self: Box<Self>, end: Result<(), DbError>) {
        let answer = match (end, self.answer) {
            (Ok(()), Some(answer)) => answer,
            (Ok(()), None) => Err(DbError::Unavailable("the write did not run".to_owned()).into()),
            (Err(error), _) => Err(error.into()),
        };
        // The caller may have gone away; the write stands.
        let _ = self.reply.send(answer);
    }
}

/// What a write is answered that took longer than it may.
pub(super) fn overdue(limit: Duration) -> DbError {
    DbError::Unavailable(format!("the write took longer than {limit:?}"))
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let known = panic.downcast_ref::<&str>().copied();
    known.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
