//! Hands a file's rows to the workers, and writes what is nobody's: dead letters, prices, how far the file is.
//!
//! **Invariant.** At most [`ROWS_IN_FLIGHT`] rows wait for a worker, over all of them; all rows of an invoice go to the
//! same one.

use std::sync::Arc;
use std::time::Duration;

use pulse_core::CartId;
use pulse_data::catalog::NewPrice;
use pulse_data::imports::{Counts, DeadLetter, ImportFile};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::WHO;
use super::error::{ReplayError, patiently};
use super::feed::{Batch, Entry, Item};
use super::invoice::{self, Job, Work};
use super::pace::Pace;
use super::prices::Prices;

/// Rows that wait for a worker at most, over all of them: this bounds the memory of the second pass.
const ROWS_IN_FLIGHT: usize = 48 * 1024;
/// Dead letters and prices that are written at once.
const WRITTEN_AT_ONCE: usize = 1000;
/// Rows after which the books note how far a file is.
const NOTED_EVERY: u64 = 20_000;
/// On a slow day, what is gathered is written at least so often.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);

/// The rows of one file on their way.
pub(super) struct Dispatch<'a> {
    work: Arc<Work>,
    pace: &'a mut Pace,
    workers: Vec<mpsc::Sender<Job>>,
    tasks: JoinSet<Result<(), ReplayError>>,
    room: Arc<Semaphore>,
    dead: Vec<DeadLetter>,
    prices: Prices,
    counts: Counts,
    /// Rows up to here were sent on their way by an earlier run, and wait for nothing.
    unpaced: u64,
    noted: u64,
    written: Instant,
    /// Bytes of the files before this one.
    before: u64,
}

impl<'a> Dispatch<'a> {
    /// Starts the workers.
    pub(super) fn new(
        work: &Arc<Work>,
        file: &ImportFile,
        pace: &'a mut Pace,
        workers: usize,
        before: u64,
    ) -> Self {
        let mut tasks = JoinSet::new();
        let start = |_| {
            // The semaphore bounds all of them together, so no single one needs a smaller bound.
            let (to, jobs) = mpsc::channel(ROWS_IN_FLIGHT);
            let (work, stop) = (Arc::clone(work), work.stop.clone());
            tasks.spawn(async move {
                let guard = stop.drop_guard();
                invoice::work(work, jobs).await?;
                // Only a failure or a panic stops the others.
                guard.disarm();
                Ok(())
            });
            to
        };
        Self {
            workers: (0..workers.max(1)).map(start).collect(),
            tasks,
            work: Arc::clone(work),
            pace,
            room: Arc::new(Semaphore::new(ROWS_IN_FLIGHT)),
            dead: Vec::new(),
            prices: Prices::default(),
            counts: Counts::default(),
            unpaced: file.counts.rows,
            noted: file.counts.rows,
            written: Instant::now(),
            before,
        }
    }

    /// Sends every row on its way. Answers what the file holds; less where it was stopped.
    pub(super) async fn run(&mut self, mut batches: mpsc::Receiver<Batch>) -> Result<Counts, ReplayError> {
        let stop = self.work.stop.clone();
        while let Some(batch) = batches.recv().await {
            for item in batch.items {
                let sent = stop.run_until_cancelled(self.item(item)).await;
                if sent != Some(true) {
                    return Ok(self.counts);
                }
                if self.pace.is_slow() && self.written.elapsed() >= WRITTEN_EVERY {
                    self.write(false).await?;
                }
            }
            self.work.progress.read_to(self.before + batch.bytes);
            if self.dead.len().max(self.prices.waiting()) >= WRITTEN_AT_ONCE {
                self.write(false).await?;
            }
        }
        self.write(true).await?;
        Ok(self.counts)
    }

    /// One row; `false` where its worker is gone.
    async fn item(&mut self, item: Item) -> bool {
        self.counts.rows += 1;
        self.work.progress.row();
        let (entry, sale) = match item {
            Item::Dead(letter) => {
                self.work.progress.dead();
                self.dead.push(letter);
                return true;
            }
            Item::Sale(entry) => (entry, true),
            Item::Return(entry) => (entry, false),
        };
        if self.counts.rows > self.unpaced
            && let Some(due) = self.pace.due(entry.at)
        {
            tokio::time::sleep_until(due).await;
        }
        if sale {
            self.counts.sale_lines += 1;
            self.prices.note(entry.sku, entry.price, entry.at);
        } else {
            self.counts.return_lines += 1;
        }
        let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else { return false };
        let worker = self.worker(&entry);
        let job = if sale { Job::Sale(entry, permit) } else { Job::Return(entry, permit) };
        self.workers[worker].send(job).await.is_ok()
    }

    fn worker(&self, entry: &Entry) -> usize {
        let CartId(id) = entry.cart;
        (id % self.workers.len() as u128) as usize
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
        if news >= NOTED_EVERY || (news > 0 && self.pace.is_slow()) {
            self.noted = self.counts.rows;
            let counts = self.counts;
            patiently(|| shop.imports.advance(&WHO, file, counts)).await?;
        }
        Ok(())
    }

    /// Lets the workers finish what they have. The first failure is the answer.
    pub(super) async fn close(mut self) -> Result<(), ReplayError> {
        self.workers.clear();
        let mut result = Ok(());
        while let Some(joined) = self.tasks.join_next().await {
            let ended = joined.unwrap_or_else(|error| Err(ReplayError::Crashed(error.to_string())));
            result = result.and(ended);
        }
        result
    }
}
