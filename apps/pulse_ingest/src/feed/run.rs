//! One feed, from its beginning to its end, through the pipeline.
//!
//! **Invariant.** A feed ends as done only when every row of it is dealt with; in any other case it stands at its mark, and
//! the same feed goes on from there.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex as SyncMutex;
use pipeline::{Batcher, Pipeline, Producer};
use pulse_core::ports::Clock;
use pulse_core::{Principal, Timestamp};
use pulse_data::catalog::Catalog;
use pulse_data::feeds::{Feed, FeedError, FeedState, Feeds, Format, Kind, NewFeed, Origin, Waiting};
use pulse_data::orders::Orders;
use pulse_fleet::FrontDoor;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::apply::{Applier, Broken, Floor, Live, Sent};
use super::batch::BatchRows;
use super::events::Events;
use super::open::{self, OpenError, Opened};
use super::parse::Reading;
use super::progress::FeedProgress;
use super::reader::FileRows;
use crate::replay::patiently;

/// Who feeds, in the audit trail.
pub(super) const WHO: Principal = Principal::System("ingest");

/// How long rows wait for others before they are done.
const GATHER: Duration = Duration::from_millis(200);

/// How long the end of a stopped feed may take: one batch, however slow the database.
const DRAIN: Duration = Duration::from_secs(40);

/// How far ahead of the clock a row's time may lie: suppliers' clocks differ, their zones too.
pub(super) const AHEAD: Duration = Duration::from_hours(24);

/// The rooms that feeds go through. Cheap to clone.
#[derive(Clone)]
pub struct FeedRooms {
    /// Feeds, and the goods that they change.
    pub feeds: Feeds,
    /// The catalogue, for whoever makes goods to feed.
    pub catalog: Catalog,
    /// Orders.
    pub orders: Orders,
    /// Carts and checkouts of orders that were placed elsewhere.
    pub door: FrontDoor,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// How to feed.
#[derive(Debug, Clone)]
pub struct FeedOptions {
    /// Whose the feeds are.
    pub source: String,
    /// What they tell of; as their names say, where absent.
    pub kind: Option<Kind>,
    /// How they are written; as their names say, where absent.
    pub format: Option<Format>,
    /// The time of rows that have none of their own; the time at which a feed is begun, where absent.
    pub at: Option<Timestamp>,
    /// Rows of one transaction; as [suits the database](BatchRows::usual), where absent.
    pub batch: Option<BatchRows>,
    /// How long a batch waits for a database that is gone.
    pub patience: Duration,
    /// Stops between two batches. Started again, it goes on from there.
    pub stop: CancellationToken,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self {
            source: "local".to_owned(),
            kind: None,
            format: None,
            at: None,
            batch: None,
            patience: Duration::from_mins(5),
            stop: CancellationToken::new(),
        }
    }
}

/// How feeding ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fed {
    /// All rows are dealt with.
    Done(Feed),
    /// They had been before.
    Known(Feed),
    /// It can't be used as a whole; the feed says why.
    Refused(Feed),
    /// It was asked to stop, and stands at its mark.
    Stopped(Feed),
}

/// Why feeding stopped. What is done is kept: the same feed goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum FeedRunError {
    /// A file is no feed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file can't be read to its end.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The shop did not take it.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// A stream's server can't be reached, or has no such stream.
    #[error("the stream's server failed: {0}")]
    Broker(String),
    /// A part of it panicked; a fault of this program.
    #[error("feeding crashed: {0}")]
    Crashed(String),
}

/// Feeds a file. `before` are bytes of other files that are dealt with.
pub async fn feed_file(
    rooms: &FeedRooms,
    path: &Path,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
    before: u64,
) -> Result<Fed, FeedRunError> {
    let ended = file(rooms, path, options, progress, before).await;
    progress.ended(&ended);
    ended
}

async fn file(
    rooms: &FeedRooms,
    path: &Path,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
    before: u64,
) -> Result<Fed, FeedRunError> {
    let kind =
        options.kind.or_else(|| open::kind_of(path)).ok_or_else(|| OpenError::Kind(path.to_owned()))?;
    let format = options.format.or_else(|| open::format_of(path));
    let format = format.ok_or_else(|| OpenError::Format(path.to_owned()))?;
    let (of, stop) = (path.to_owned(), options.stop.clone());
    let opened = tokio::task::spawn_blocking(move || open::file(&of, format, &stop)).await;
    let opened = opened.map_err(|error| FeedRunError::Crashed(error.to_string()))??;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let content = opened.as_ref().map_or_else(|_| format!("broken:{name}"), |opened| opened.content.clone());
    let header = opened.as_ref().ok().and_then(|opened| opened.header.clone());
    let new = NewFeed {
        source: options.source.clone(),
        kind,
        origin: Origin::File,
        name: name.chars().filter(|c| *c != '\0').take(500).collect(),
        content,
        format,
        columns: header.unwrap_or_default(),
        fed_at: options.at,
    };
    let feeds = &rooms.feeds;
    let (feed, _) = patiently(|| feeds.begin(&WHO, new.clone())).await?;
    if feed.state == FeedState::Done {
        return Ok(Fed::Known(feed));
    }
    let opened = match opened {
        Ok(opened) => opened,
        Err(why) => return refuse(rooms, feed, &why).await,
    };
    let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let ended =
        feed_rows(rooms, feed, opened, options, progress, before).await.map_err(|error| match error {
            FeedRunError::Read { source, .. } => FeedRunError::Read { path: path.to_owned(), source },
            other => other,
        });
    progress.read_to(before + size);
    ended
}

/// Feeds a body that was posted.
pub async fn feed_body(
    rooms: &FeedRooms,
    waiting: Waiting,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
) -> Result<Fed, FeedRunError> {
    let ended = body(rooms, waiting, options, progress).await;
    progress.ended(&ended);
    ended
}

async fn body(
    rooms: &FeedRooms,
    waiting: Waiting,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
) -> Result<Fed, FeedRunError> {
    let Waiting { feed, body } = waiting;
    let format = feed.format;
    let opened = tokio::task::spawn_blocking(move || open::body(body, format)).await;
    match opened.map_err(|error| FeedRunError::Crashed(error.to_string()))? {
        Ok(opened) => feed_rows(rooms, feed, opened, options, progress, 0).await,
        Err(why) => refuse(rooms, feed, &why).await,
    }
}

async fn refuse(rooms: &FeedRooms, feed: Feed, why: &str) -> Result<Fed, FeedRunError> {
    patiently(|| rooms.feeds.refuse(&WHO, feed.id, why)).await?;
    tracing::warn!(feed = feed.id, "a feed is refused as a whole");
    Ok(Fed::Refused(patiently(|| rooms.feeds.get(&WHO, feed.id)).await?))
}

async fn feed_rows(
    rooms: &FeedRooms,
    mut feed: Feed,
    opened: Opened,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
    before: u64,
) -> Result<Fed, FeedRunError> {
    let Opened { rows, header, read, .. } = opened;
    let Some(header) = header else {
        return refuse(rooms, feed, "it is empty: not even a header stands in it").await;
    };
    if feed.columns != header {
        patiently(|| rooms.feeds.headed(&WHO, feed.id, &header)).await?;
        feed.columns = header;
    }
    let reading = match Reading::of(&feed, rooms.clock.now().after(AHEAD)) {
        Ok(reading) => reading,
        Err(why) => return refuse(rooms, feed, &why).await,
    };
    let id = feed.id;
    let (producer, end) = FileRows::start(rows, read, &feed.seen, Arc::clone(progress), before);
    let stopped = through(rooms, feed, reading, producer, options, progress).await?;
    let feed = patiently(|| rooms.feeds.get(&WHO, id)).await?;
    let ended = end.lock().take();
    match ended {
        _ if stopped => Ok(Fed::Stopped(feed)),
        Some(Ok(())) => {
            patiently(|| rooms.feeds.finish(&WHO, id)).await?;
            Ok(Fed::Done(patiently(|| rooms.feeds.get(&WHO, id)).await?))
        }
        Some(Err(source)) => Err(FeedRunError::Read { path: PathBuf::from(&feed.name), source }),
        None => Err(FeedRunError::Crashed("the file's reader ended without a word".to_owned())),
    }
}

/// Rows of a producer through the pipeline; whether it was stopped before they ended.
async fn through<P>(
    rooms: &FeedRooms,
    feed: Feed,
    reading: Reading,
    producer: P,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
) -> Result<bool, FeedRunError>
where
    P: Producer<Item: Sent>,
{
    flow(rooms, Work { feed, reading, live: None }, producer, options, progress).await?;
    Ok(options.stop.is_cancelled())
}

/// The same for a feed without an end, until it is asked to stop.
pub(super) async fn through_stream<P>(
    rooms: &FeedRooms,
    feed: Feed,
    reading: Reading,
    producer: P,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
    floor: Floor,
) -> Result<(), FeedRunError>
where
    P: Producer<Item: Sent>,
{
    let live = Some(Live { clock: Arc::clone(&rooms.clock), floor });
    flow(rooms, Work { feed, reading, live }, producer, options, progress).await
}

/// What is fed, and how it is read.
struct Work {
    feed: Feed,
    reading: Reading,
    live: Option<Live>,
}

async fn flow<P>(
    rooms: &FeedRooms,
    work: Work,
    producer: P,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
) -> Result<(), FeedRunError>
where
    P: Producer<Item: Sent>,
{
    // A feed that is broken stops itself, and not the caller's other ones.
    let stop = options.stop.child_token();
    let broken = Broken::new(SyncMutex::new(None));
    let applier = Applier::<P::Item> {
        sent: PhantomData,
        feeds: rooms.feeds.clone(),
        events: Events { who: WHO, door: rooms.door.clone(), orders: rooms.orders.clone() },
        who: WHO,
        reading: work.reading,
        live: work.live,
        feed: Mutex::new(work.feed),
        broken: Arc::clone(&broken),
        stop: stop.clone(),
        patience: options.patience,
        progress: Arc::clone(progress),
    };
    let batch = options.batch.unwrap_or_else(|| BatchRows::usual(rooms.feeds.backend())).get();
    // One processor and one batch at a time: rows are done in their order. While a batch is on its way to the disk, the
    // rows of the next are read and judged.
    let running = Pipeline::builder(applier)
        .name("feed")
        .producer(producer)
        .processors(1)
        .demand(2 * batch, batch)
        .batcher(Batcher::new("store").size(batch).timeout(GATHER))
        .start();
    let mut running = running.map_err(|error| FeedRunError::Crashed(error.to_string()))?;
    let drained = tokio::select! {
        drained = running.finished() => drained,
        () = stop.cancelled() => running.drain(DRAIN).await,
    };
    if let Some(error) = broken.lock().take() {
        return Err(error.into());
    }
    match drained.gave_up {
        Some(gave_up) => Err(FeedRunError::Crashed(gave_up.to_string())),
        None => Ok(()),
    }
}
