//! The pipeline's producer of a file's rows: read on a thread of its own, handed out as they are asked for.
//!
//! **Invariant.** At most a few chunks are read ahead, so memory does not grow with the file. Rows are handed out in their
//! order. What ended the reading is told once, after the last row.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use pipeline::{Acknowledger, BoxError, Message, Producer, Unacknowledged};
use pulse_data::feeds::Seen;
use tokio::sync::mpsc;

use super::open::Source;
use super::progress::FeedProgress;
use super::raw::{RawRow, Rows};

/// Rows of a chunk.
const CHUNK: usize = 512;
/// Chunks that are read ahead.
const AHEAD: usize = 4;

/// How a reading ended.
pub(super) type End = Arc<Mutex<Option<io::Result<()>>>>;

/// Hands out the rows that are not dealt with yet.
pub(super) struct FileRows {
    chunks: mpsc::Receiver<(Vec<RawRow>, u64)>,
    waiting: std::vec::IntoIter<RawRow>,
    source: Arc<dyn Acknowledger>,
    progress: Arc<FeedProgress>,
    before: u64,
}

impl FileRows {
    /// Starts reading. `before` are bytes of other files that are dealt with.
    pub(super) fn start(
        rows: Rows<Source>,
        read: Arc<AtomicU64>,
        seen: &Seen,
        progress: Arc<FeedProgress>,
        before: u64,
    ) -> (Self, End) {
        let (to, chunks) = mpsc::channel(AHEAD);
        let (end, seen, told) = (End::default(), seen.clone(), Arc::clone(&progress));
        let ending = Arc::clone(&end);
        tokio::task::spawn_blocking(move || {
            let ended = read_all(rows, &read, &seen, &told, &to);
            *ending.lock() = ended.transpose();
        });
        let source: Arc<dyn Acknowledger> = Arc::new(Unacknowledged);
        (Self { chunks, waiting: Vec::new().into_iter(), source, progress, before }, end)
    }
}

/// Reads to the end; `None` where nobody listens any more.
fn read_all(
    mut rows: Rows<Source>,
    read: &AtomicU64,
    seen: &Seen,
    progress: &FeedProgress,
    to: &mpsc::Sender<(Vec<RawRow>, u64)>,
) -> io::Result<Option<()>> {
    let mark = seen.mark();
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut repeated = 0;
        let ended = loop {
            let Some(row) = rows.next()? else { break true };
            if row.place.row <= mark || seen.contains(row.place.row) {
                repeated += 1;
                continue;
            }
            chunk.push(row);
            if chunk.len() == CHUNK {
                break false;
            }
        };
        progress.repeated(repeated);
        let all = to.blocking_send((chunk, read.load(Ordering::Relaxed)));
        if all.is_err() {
            return Ok(None);
        }
        if ended {
            return Ok(Some(()));
        }
    }
}

impl Producer for FileRows {
    type Item = RawRow;

    async fn produce(&mut self, demand: usize) -> Result<Option<Vec<Message<RawRow>>>, BoxError> {
        let mut rows: Vec<RawRow> = self.waiting.by_ref().take(demand).collect();
        while rows.len() < demand {
            // Waits only for the first: what is there goes on its way.
            let chunk = if rows.is_empty() { self.chunks.recv().await } else { self.chunks.try_recv().ok() };
            let Some((chunk, bytes)) = chunk else { break };
            self.progress.read_to(self.before + bytes);
            self.waiting = chunk.into_iter();
            let room = demand - rows.len();
            rows.extend(self.waiting.by_ref().take(room));
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let message = |row: RawRow| {
            let receipt = row.place.row;
            Message::new(row, &self.source, receipt)
        };
        Ok(Some(rows.into_iter().map(message).collect()))
    }

    fn name(&self) -> &'static str {
        "file"
    }
}
