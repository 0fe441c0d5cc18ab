//! Tasks beside a view: a slow query, a call to another service.
//!
//! Invariant: a task ends with its view, and each task that was not cancelled yields exactly one message.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::AbortHandle;

use crate::channel::Wake;
use crate::ctx::Mailbox;
use crate::live::Inner;

/// Tasks that one view may have at once.
pub const MAX_TASKS: usize = 32;

/// A task of a view that has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskCrashed {
    /// It panicked.
    #[error("the task crashed")]
    Panicked,
    /// The view has [`MAX_TASKS`] already.
    #[error("the view has too many tasks: it was not begun")]
    Refused,
}

/// The tasks of one view.
#[derive(Default)]
pub(crate) struct Tasks {
    running: Vec<Running>,
}

struct Running {
    name: &'static str,
    number: u64,
    handle: AbortHandle,
}

impl Tasks {
    pub(crate) fn start<T: Send + 'static, I: Send + 'static>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = T> + Send + 'static,
        wrap: impl FnOnce(Result<T, TaskCrashed>) -> I + Send + 'static,
        mailbox: &Mailbox,
        live: &Arc<Inner>,
    ) {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        self.cancel(name);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        if self.running.len() >= MAX_TASKS {
            live.counters.async_refused.one();
            mailbox.send_after(std::time::Duration::ZERO, Wake::info(wrap(Err(TaskCrashed::Refused))));
            return;
        }
        let mailbox = mailbox.clone();
        let live = live.clone();
        let work = tokio::spawn(task);
        let handle = work.abort_handle();
        tokio::spawn(async move {
            let result = match work.await {
                Ok(result) => Ok(result),
                Err(error) if error.is_cancelled() => return,
                Err(_) => {
                    live.counters.async_crashes.one();
                    Err(TaskCrashed::Panicked)
                }
            };
            // A view that is gone needs no result; one that is overloaded must not lose it.
            mailbox.send_after(std::time::Duration::ZERO, Wake::task(number, wrap(result)));
        });
        self.running.push(Running { name, number, handle });
    }

    pub(crate) fn cancel(&mut self, name: &str) -> bool {
        let Some(place) = self.running.iter().position(|task| task.name == name) else { return false };
        self.running.swap_remove(place).handle.abort();
        true
    }

    /// Takes note of a result. False if the task was cancelled when its result was already on its way.
    pub(crate) fn finished(&mut self, number: u64) -> bool {
        let Some(place) = self.running.iter().position(|task| task.number == number) else { return false };
        self.running.swap_remove(place);
        true
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.running {
            task.handle.abort();
        }
    }
}
