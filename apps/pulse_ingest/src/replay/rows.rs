//! The pipeline's producer of a file's rows. What is nobody's (dead letters, prices, how far the file is) it writes itself.
//!
//! **Invariant.** Rows are handed out in the order of the file, none before its time; the file's end is told only when
//! everything that waited to be written is.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pipeline::{Acknowledger, BoxError, Message, Producer, Unacknowledged};
use pulse_data::catalog::NewPrice;
use pulse_data::imports::{Counts, DeadLetter, ImportFile};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::WHO;
use super::error::{ReplayError, patiently};
use super::feed::{Batch, Entry, Item};
use super::invoice::{Line, Work};
use super::pace::Pace;
use super::prices::Prices;

/// Dead letters and prices that are written at once.
const WRITTEN_AT_ONCE: usize = 1000;
/// Rows after which the books note how far a file is.
const NOTED_EVERY: u64 = 20_000;
/// On a slow day, what is gathered is written at least so often.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);

/// What a file holds; absent until its end.
pub(super) type Ended = Arc<Mutex<Option<Counts>>>;

/// The rows of one file on their way.
pub(super) struct Rows {
    work: Arc<Work>,
    pace: Arc<Mutex<Pace>>,
    batches: mpsc::Receiver<Batch>,
    /// Of the batch in hand, and how much of the file was read by its end.
    items: std::vec::IntoIter<Item>,
    bytes: u64,
    /// The next row, whose time has not come.
    held: Option<(Line, Instant)>,
    source: Arc<dyn Acknowledger>,
    dead: Vec<DeadLetter>,
    prices: Prices,
    counts: Counts,
    /// Rows up to here were sent on their way by an earlier run, and wait for nothing.
    unpaced: u64,
    noted: u64,
    written: Instant,
    /// Bytes of the files before this one.
    before: u64,
    ended: Ended,
}

impl Rows {
    /// The rows of these batches.
    pub(super) fn new(
        work: &Arc<Work>,
        file: &ImportFile,
        batches: mpsc::Receiver<Batch>,
        pace: &Arc<Mutex<Pace>>,
        before: u64,
    ) -> (Self, Ended) {
        let ended = Ended::default();
        let source: Arc<dyn Acknowledger> = Arc::new(Unacknowledged);
        let rows = Self {
            work: Arc::clone(work),
            pace: Arc::clone(pace),
            batches,
            items: Vec::new().into_iter(),
            bytes: 0,
            held: None,
            source,
            dead: Vec::new(),
            prices: Prices::default(),
            counts: Counts::default(),
            unpaced: file.counts.rows,
            noted: file.counts.rows,
            written: Instant::now(),
            before,
            ended: Arc::clone(&ended),
        };
        (rows, ended)
    }

    /// The next rows, at most `most`; none at the end of the file. Waits for the first of them only.
    async fn next(&mut self, most: usize) -> Result<Vec<Line>, ReplayError> {
        let mut lines = Vec::with_capacity(most);
        while lines.len() < most {
            if let Some((line, due)) = self.held.take() {
                if !lines.is_empty() && due > Instant::now() {
                    self.held = Some((line, due));
                    break;
                }
                tokio::time::sleep_until(due).await;
                lines.push(line);
                continue;
            }
            let Some(item) = self.items.next() else {
                if !self.turn(lines.is_empty()).await? {
                    break;
                }
                continue;
            };
            if self.pace.lock().is_slow() && self.written.elapsed() >= WRITTEN_EVERY {
                self.write(false).await?;
            }
            let Some(line) = self.sort(item) else { continue };
            match self.due(&line) {
                Some(due) => self.held = Some((line, due)),
                None => lines.push(line),
            }
        }
        Ok(lines)
    }

    /// Takes the next batch; `false` where there is none, or none yet and it is not to be waited for.
    async fn turn(&mut self, wait: bool) -> Result<bool, ReplayError> {
        self.work.progress.read_to(self.before + self.bytes);
        if self.dead.len().max(self.prices.waiting()) >= WRITTEN_AT_ONCE {
            self.write(false).await?;
        }
        let batch = if wait { self.batches.recv().await } else { self.batches.try_recv().ok() };
        let Some(batch) = batch else { return Ok(false) };
        (self.items, self.bytes) = (batch.items.into_iter(), batch.bytes);
        Ok(true)
    }

    /// Counts a row, and keeps what is no invoice's.
    fn sort(&mut self, item: Item) -> Option<Line> {
        self.counts.rows += 1;
        self.work.progress.row();
        match item {
            Item::Dead(letter) => {
                self.work.progress.dead();
                self.dead.push(letter);
                None
            }
            Item::Sale(entry) => {
                self.counts.sale_lines += 1;
                self.prices.note(entry.sku, entry.price, entry.at);
                Some(Line::Sale(entry))
            }
            Item::Return(entry) => {
                self.counts.return_lines += 1;
                Some(Line::Return(entry))
            }
        }
    }

    fn due(&self, line: &Line) -> Option<Instant> {
        let (Line::Sale(Entry { at, .. }) | Line::Return(Entry { at, .. })) = line;
        if self.counts.rows > self.unpaced { self.pace.lock().due(*at) } else { None }
    }

    async fn write(&mut self, end: bool) -> Result<(), ReplayError> {
        self.written = Instant::now();
        let (shop, file) = (&self.work.shop, self.work.file);
        if !self.dead.is_empty() {
            let dead = std::mem::take(&mut self.dead);
            patiently(|| shop.imports.bury(&WHO, file, dead.clone())).await?;
        }
        let newest = self.prices.take(end).into_iter();
        let prices: Vec<NewPrice> = newest.map(|(sku, price, at)| NewPrice { sku, price, at }).collect();
        if !prices.is_empty() {
            patiently(|| shop.catalog.reprice(&WHO, prices.clone())).await?;
        }
        let news = self.counts.rows.saturating_sub(self.noted);
        if news >= NOTED_EVERY || (news > 0 && self.pace.lock().is_slow()) {
            self.noted = self.counts.rows;
            let counts = self.counts;
            patiently(|| shop.imports.advance(&WHO, file, counts)).await?;
        }
        Ok(())
    }
}

impl Producer for Rows {
    type Item = Line;

    async fn produce(&mut self, demand: usize) -> Result<Option<Vec<Message<Line>>>, BoxError> {
        let lines = match self.next(demand).await {
            Ok(lines) if lines.is_empty() => self.write(true).await.map(|()| {
                *self.ended.lock() = Some(self.counts);
                None
            }),
            other => other.map(Some),
        };
        match lines {
            Ok(Some(lines)) => {
                Ok(Some(lines.into_iter().map(|line| Message::new(line, &self.source, 0)).collect()))
            }
            Ok(None) => Ok(None),
            // The file's end was not told; the replay says why.
            Err(error) => {
                self.work.fail(error);
                Ok(None)
            }
        }
    }

    fn name(&self) -> &'static str {
        "replay"
    }
}
