//! Acknowledgements: each source is told, in one call a group, which of its messages ended well and which did not.
//!
//! **Invariant.** What is added here is told exactly once; a source that panics or errs takes nothing from the others.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::catch::caught;
use crate::config::Shared;
use crate::event::Event;
use crate::failure::Failure;

/// A future behind a pointer, for traits that are used behind one.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One group of ends, all of the same source. At least one of the two lists is not empty.
#[derive(Debug, Clone, Copy)]
pub struct Acks<'a> {
    /// Receipts of those that ended well, in the order in which they were handled.
    pub done: &'a [u64],
    /// Receipts of those that failed, and why.
    pub failed: &'a [(u64, Failure)],
}

impl Acks<'_> {
    /// How many messages it speaks of.
    pub fn len(&self) -> usize {
        self.done.len() + self.failed.len()
    }

    /// Whether it speaks of none. The pipeline makes no such call.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A source's ear: told of the end of its messages.
///
/// It is called from many tasks at once. What it can't tell its source (the broker is gone) it tries again itself
/// for as long as that makes sense, then errs: the pipeline counts it and goes on, and the source delivers again
/// what it believes to be unfinished. So a handler's effects have to be idempotent.
pub trait Acknowledger: Send + Sync + 'static {
    /// Tells the source.
    fn ack<'a>(&'a self, acks: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>>;
}

impl fmt::Debug for dyn Acknowledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acknowledger")
    }
}

/// For sources that don't care.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unacknowledged;

impl Acknowledger for Unacknowledged {
    fn ack<'a>(&'a self, _: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Ends, gathered by source.
pub(crate) struct Ends {
    groups: Vec<Group>,
    /// Where the previous message's source is: neighbours mostly come from the same.
    last: usize,
    /// By the source's address, as soon as there is a second one.
    places: HashMap<usize, usize, foldhash::fast::RandomState>,
}

struct Group {
    source: Arc<dyn Acknowledger>,
    done: Vec<u64>,
    failed: Vec<(u64, Failure)>,
}

impl Ends {
    pub(crate) fn new() -> Self {
        Self { groups: Vec::new(), last: 0, places: HashMap::default() }
    }

    pub(crate) fn done(&mut self, (source, receipt): (Arc<dyn Acknowledger>, u64), expected: usize) {
        self.group(source, expected).done.push(receipt);
    }

    pub(crate) fn failed(&mut self, (source, receipt): (Arc<dyn Acknowledger>, u64), failure: Failure) {
        self.group(source, 0).failed.push((receipt, failure));
    }

    fn group(&mut self, source: Arc<dyn Acknowledger>, expected: usize) -> &mut Group {
        let known = match self.groups.get(self.last) {
            Some(group) if Arc::ptr_eq(&group.source, &source) => self.last,
            _ => *self.places.entry(Arc::as_ptr(&source).addr()).or_insert_with(|| {
                self.groups.push(Group { source, done: Vec::with_capacity(expected), failed: Vec::new() });
                self.groups.len() - 1
            }),
        };
        self.last = known;
        &mut self.groups[known]
    }

    /// Tells every source; `settled` goes up by each group when its call has ended, however it ended.
    pub(crate) async fn settle(self, shared: &Shared) {
        for Group { source, done, failed } in self.groups {
            let acks = Acks { done: &done, failed: &failed };
            let error = match caught(async { source.ack(acks).await }).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(panic) => Some(Failure::panicked("the acknowledger", &*panic).to_string()),
            };
            if let Some(error) = &error {
                tracing::warn!(
                    pipeline = shared.name,
                    messages = acks.len(),
                    error,
                    "the source could not be told of acknowledgements"
                );
            }
            shared.counters.acked(&acks, error.is_some());
            shared.tell(|| Event::Acked {
                done: acks.done.len(),
                failed: acks.failed.len(),
                error: error.as_deref(),
            });
        }
    }
}
