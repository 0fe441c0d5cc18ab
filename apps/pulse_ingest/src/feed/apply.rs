//! The pipeline's callbacks: rows are judged one by one, and done a batch at a time.
//!
//! **Invariant.** Rows that can't be used travel with the others, so that a batch's goods, its dead letters and its mark
//! are one transaction. Where a batch can't be done, no later one is: the feed stops at its mark.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex as SyncMutex;
use pipeline::{Batch as Rows, Failed, Failure, Handler, Message, Next};
use pulse_core::Principal;
use pulse_core::ports::Clock;
use pulse_data::feeds::{
    Batch, CatalogueRow, Counts, Entry, Fault, Feed, FeedError, FeedState, Feeds, Goods, NewLetter, Place,
    PriceRow, Reason, Seen, StockRow,
};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::events::{EventError, Events};
use super::parse::{OrderEvent, Parsed, Reading, Times};
use super::progress::FeedProgress;
use super::raw::RawRow;
use super::run::AHEAD;
use crate::replay::Passing as _;

/// A row and its verdict.
pub(super) struct Judged {
    place: Place,
    text: Box<[u8]>,
    cut: bool,
    verdict: Result<Parsed, Vec<Fault>>,
}

/// Why a feed stopped before its end.
pub(super) type Broken = Arc<SyncMutex<Option<FeedError>>>;

/// What a source hands out: a row, once.
pub(super) trait Sent: Send + 'static {
    /// The row. Its text is moved out; the place stays.
    fn take(&mut self) -> RawRow;
}

impl Sent for RawRow {
    fn take(&mut self) -> RawRow {
        Self { text: std::mem::take(&mut self.text), ..*self }
    }
}

/// Up to which number a stream's messages are acknowledged, all of them; asked of its broker.
pub(super) type Floor = Arc<dyn Fn() -> BoxFuture<'static, Option<u64>> + Send + Sync>;

/// What a feed without an end has.
pub(super) struct Live {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) floor: Floor,
}

/// Ranges of done numbers above which the broker is asked what lies below: a stream of which only some subjects are fed
/// has gaps, and what is acknowledged never comes again.
const MOST_RANGES: usize = 64;

/// What the callbacks of one feed share.
pub(super) struct Applier<S> {
    pub(super) sent: PhantomData<fn() -> S>,
    pub(super) feeds: Feeds,
    pub(super) events: Events,
    pub(super) who: Principal,
    pub(super) reading: Reading,
    /// For a feed without an end, whose rows are of the time at which they come.
    pub(super) live: Option<Live>,
    /// The feed as this run knows it; whoever holds it is the one that applies.
    pub(super) feed: Mutex<Feed>,
    pub(super) broken: Broken,
    /// Cancelled where the feed is broken, and by whoever wants it to stop.
    pub(super) stop: CancellationToken,
    pub(super) patience: Duration,
    pub(super) progress: Arc<FeedProgress>,
}

impl<S: Sent> Handler for Applier<S> {
    type In = S;
    /// Taken by the batch.
    type Out = Option<Judged>;

    async fn handle_message(&self, message: &mut Message<S>) -> Result<Option<Judged>, Failure> {
        let row = message.data.take();
        let verdict = match &self.live {
            None => self.reading.parse(&row),
            Some(live) => {
                let now = live.clock.now();
                self.reading.parse_as_of(&row, Times { fed_at: now, latest: now.after(AHEAD) })
            }
        };
        Ok(Some(Judged { place: row.place, text: row.text, cut: row.cut, verdict }))
    }

    async fn handle_batch(&self, batch: &mut Rows<S, Option<Judged>>) -> Result<(), Failure> {
        let rows = batch.iter_mut().filter_map(|item| item.data.take()).collect();
        self.apply(rows).await
    }

    /// Only what makes this program panic comes here, and what was given out again and again: it is buried like any other
    /// dirt. What could not be stored is asked for again.
    async fn handle_failed(&self, failed: &mut [Failed<S>]) -> Result<(), Failure> {
        let poison = |failed: &mut Failed<S>| {
            let row = failed.message.data.take();
            let fault =
                Fault::of(Reason::Refused, "", format!("can't be handled: {}", failed.failure.reason()));
            failed.failure = failed.failure.clone().with_next(Next::Reject);
            Judged { place: row.place, text: row.text, cut: row.cut, verdict: Err(vec![fault]) }
        };
        let is_poison =
            |failed: &&mut Failed<S>| failed.failure.is_panic() || failed.failure.next() == Next::Reject;
        let rows: Vec<Judged> = failed.iter_mut().filter(is_poison).map(poison).collect();
        if rows.is_empty() { Ok(()) } else { self.apply(rows).await }
    }
}

/// Rows of a batch, sorted.
#[derive(Default)]
struct Sorted {
    seen: Seen,
    prices: Vec<Entry<PriceRow>>,
    stock: Vec<Entry<StockRow>>,
    catalogue: Vec<Entry<CatalogueRow>>,
    orders: Vec<Entry<OrderEvent>>,
    letters: Vec<NewLetter>,
    repeated: u64,
}

impl Sorted {
    /// Leaves out what the feed has dealt with, and what stands in the batch twice.
    fn of(rows: Vec<Judged>, known: &Seen) -> Self {
        let mut sorted = Self::default();
        for Judged { place, text, cut, verdict } in rows {
            if known.contains(place.row) || sorted.seen.contains(place.row) {
                sorted.repeated += 1;
                continue;
            }
            sorted.seen.insert(place.row);
            match verdict {
                Ok(Parsed::Price(row)) => sorted.prices.push(Entry { place, text, row }),
                Ok(Parsed::Stock(row)) => sorted.stock.push(Entry { place, text, row }),
                Ok(Parsed::Catalogue(row)) => sorted.catalogue.push(Entry { place, text, row }),
                Ok(Parsed::Order(row)) => sorted.orders.push(Entry { place, text, row }),
                Err(faults) => sorted.letters.push(NewLetter::new(place, &text, cut, faults)),
            }
        }
        sorted
    }

    /// A feed has rows of one kind.
    fn goods(&mut self) -> Option<Goods> {
        let goods = [
            Goods::Prices(std::mem::take(&mut self.prices)),
            Goods::Stock(std::mem::take(&mut self.stock)),
            Goods::Catalogue(std::mem::take(&mut self.catalogue)),
        ];
        goods.into_iter().find(|goods| !goods.is_empty())
    }
}

impl<S: Sent> Applier<S> {
    /// Does rows and moves the feed on. Waits for the database as long as patience lasts.
    async fn apply(&self, rows: Vec<Judged>) -> Result<(), Failure> {
        let mut feed = self.feed.lock().await;
        if self.broken.lock().is_some() {
            return Err(Failure::retry("the feed has stopped"));
        }
        match self.done(&mut feed, rows).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let failure = Failure::retry(&error);
                *self.broken.lock() = Some(error);
                self.stop.cancel();
                Err(failure)
            }
        }
    }

    async fn done(&self, feed: &mut Feed, rows: Vec<Judged>) -> Result<(), FeedError> {
        let mut sorted = Sorted::of(rows, &feed.seen);
        self.progress.repeated(sorted.repeated);
        let mut done = Counts::default();
        if !sorted.orders.is_empty() {
            let orders = std::mem::take(&mut sorted.orders);
            let (counts, letters) = self.events(&feed.source, orders).await?;
            done = counts;
            sorted.letters.extend(letters);
        }
        if sorted.seen.bounds().is_none() {
            return Ok(());
        }
        if let Some(live) = self.live.as_ref().filter(|_| feed.seen.ranges() > MOST_RANGES)
            && let Some(floor) = (live.floor)().await
        {
            sorted.seen.insert_all(1, floor);
        }
        let goods = sorted.goods();
        let Sorted { seen, letters, .. } = sorted;
        let mut batch = Arc::new(Batch { feed: feed.id, version: feed.version, seen, goods, letters, done });
        let mut waiting = Waiting::new(self.patience);
        loop {
            match self.feeds.apply(&self.who, Arc::clone(&batch)).await {
                Ok(applied) => {
                    self.progress.count(applied.counts, &applied.reasons);
                    *feed = applied.feed;
                    return Ok(());
                }
                // Somebody else works on this feed, or this batch was done and its answer lost.
                Err(FeedError::Stale(now)) => {
                    *feed = *now;
                    if matches!(feed.state, FeedState::Done | FeedState::Refused) {
                        return Ok(());
                    }
                    let Some(rest) = without(&batch, feed) else { return Ok(()) };
                    batch = Arc::new(rest);
                }
                Err(FeedError::Db(error)) if error.passes().is_some() => {
                    if !waiting.wait(&self.stop, &error).await {
                        return Err(FeedError::Db(error));
                    }
                    self.progress.waited();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Order events, each done by the orders' context under a name of its own.
    async fn events(
        &self,
        source: &str,
        rows: Vec<Entry<OrderEvent>>,
    ) -> Result<(Counts, Vec<NewLetter>), FeedError> {
        let mut waiting = Waiting::new(self.patience);
        loop {
            match self.events.all(source, &rows).await {
                Ok(outcome) => return Ok(outcome),
                Err(EventError::Passing(error)) => {
                    if !waiting.wait(&self.stop, &error).await {
                        return Err(FeedError::Db(error));
                    }
                    self.progress.waited();
                }
            }
        }
    }
}

/// What of a batch is still to be done, for the feed as it is now; `None` where nothing is.
fn without(batch: &Batch, feed: &Feed) -> Option<Batch> {
    let mut seen = Seen::default();
    let mut left = |place: Place| {
        let left = !feed.seen.contains(place.row);
        if left {
            seen.insert(place.row);
        }
        left
    };
    let goods = match &batch.goods {
        Some(Goods::Prices(rows)) => Some(Goods::Prices(kept(rows, &mut left))),
        Some(Goods::Stock(rows)) => Some(Goods::Stock(kept(rows, &mut left))),
        Some(Goods::Catalogue(rows)) => Some(Goods::Catalogue(kept(rows, &mut left))),
        None => None,
    };
    let letters: Vec<NewLetter> = batch.letters.iter().filter(|letter| left(letter.place)).cloned().collect();
    let mut done = Counts::default();
    if batch.done != done {
        // Events have no rows here: all of them are noted, or none.
        let noted = batch.seen.bounds().is_some_and(|(first, _)| feed.seen.contains(first));
        if !noted {
            (done, seen) = (batch.done, batch.seen.clone());
        }
    }
    seen.bounds()?;
    Some(Batch { feed: feed.id, version: feed.version, seen, goods, letters, done })
}

fn kept<T: Clone>(rows: &[Entry<T>], left: &mut impl FnMut(Place) -> bool) -> Vec<Entry<T>> {
    rows.iter().filter(|entry| left(entry.place)).cloned().collect()
}

/// Waits for a database that is gone: 20 ms, doubled up to two seconds, until patience ends.
struct Waiting {
    until: Instant,
    pause: Duration,
}

impl Waiting {
    fn new(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, pause: Duration::from_millis(10) }
    }

    /// `false` where it is to be given up.
    async fn wait(&mut self, stop: &CancellationToken, error: &impl std::fmt::Display) -> bool {
        self.pause = (self.pause * 2).min(Duration::from_secs(2));
        if Instant::now() + self.pause > self.until {
            return false;
        }
        if self.pause >= Duration::from_secs(1) {
            tracing::warn!(%error, "a feed waits for the database");
        }
        stop.run_until_cancelled(tokio::time::sleep(self.pause)).await.is_some()
    }
}
