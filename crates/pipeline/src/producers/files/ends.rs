//! When a file is finished: read to its end, and every row of it acknowledged.
//!
//! **Invariant.** It is told once, by whoever comes last: the reader or the last acknowledgement.

use std::sync::{Arc, Mutex, PoisonError};

use super::row::SourceFile;
use crate::ack::{Acknowledger, Acks, BoxError, BoxFuture};

/// A file is finished.
#[derive(Debug, Clone)]
pub struct FileEnd {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Rows that ended well.
    pub done: u64,
    /// Rows that failed, those among them that could not be read.
    pub failed: u64,
    /// Why it was not read to its end, if so: it breaks off, it could not be opened. One failed row stands for that.
    pub error: Option<String>,
}

pub(super) type OnEnd = Arc<dyn Fn(FileEnd) -> BoxFuture<'static, ()> + Send + Sync>;

/// What is told of the rows of one file.
pub(super) struct FileAcks {
    file: Arc<SourceFile>,
    state: Mutex<State>,
    on_end: Option<OnEnd>,
}

#[derive(Default)]
struct State {
    given: u64,
    done: u64,
    failed: u64,
    read_to_end: bool,
    told: bool,
    error: Option<String>,
}

impl FileAcks {
    pub(super) fn new(file: Arc<SourceFile>, on_end: Option<OnEnd>) -> Self {
        Self { file, state: Mutex::default(), on_end }
    }

    pub(super) fn given(&self, rows: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).given += rows;
    }

    pub(super) fn broke_off(&self, error: String) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).error = Some(error);
    }

    /// The reader has nothing more of it.
    pub(super) async fn read_to_end(&self) {
        if let Some(told) = self.change(|state| state.read_to_end = true) {
            told.await;
        }
    }

    /// Changes the state; answers what is to be awaited if the file is finished by that.
    fn change(&self, change: impl FnOnce(&mut State)) -> Option<BoxFuture<'static, ()>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        if state.told || !state.read_to_end || state.done + state.failed < state.given {
            return None;
        }
        state.told = true;
        let (done, failed, error) = (state.done, state.failed, state.error.take());
        drop(state);
        let on_end = self.on_end.as_ref()?;
        Some(on_end(FileEnd { file: Arc::clone(&self.file), done, failed, error }))
    }
}

impl Acknowledger for FileAcks {
    fn ack<'a>(&'a self, acks: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let told = self.change(|state| {
                state.done += acks.done.len() as u64;
                state.failed += acks.failed.len() as u64;
            });
            if let Some(told) = told {
                told.await;
            }
            Ok(())
        })
    }
}
