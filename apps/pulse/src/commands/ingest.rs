//! `pulse ingest`: feeds files and folders, and looks after the dead letters.
//!
//! **Invariant.** Interrupted or killed, what is done stays done; the same command goes on from there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pulse_data::feeds::{Feed, FeedError, Letter, LetterQuery};
use pulse_ingest::feed::{
    self, BatchRows, Fed, FeedFile, FeedOptions, FeedProgress, FeedRooms, FeedRunError, InvalidAddress,
    OpenError, StreamAddress, Watch, discard_all, feed_file, feed_stream, files_of, format_of, kind_of,
    retry_all,
};
use serde_json::json;

use crate::cli::{Ingest, Letters, Which};
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::progress::Progress;
use crate::rooms::Rooms;
use crate::shop::{self, OPERATOR};
use crate::signals::Stop;

pub(super) async fn run(config: &Config, wanted: Ingest) -> Result<(), Failure> {
    // Told before anything is opened: a slip in a name must cost nothing.
    let stream = stream(&wanted)?;
    let nothing = wanted.letters.is_some() || stream.is_some();
    let files = if nothing { Vec::new() } else { files(&wanted)? };
    let stop = Stop::listen("stopping after the batch in hand; the same command goes on from here");
    let repo = shop::open_migrated(config, false).await?;
    let rooms = Rooms::open(config, &repo, "").await?;
    let following = tokio::spawn({
        let rooms = rooms.clone();
        async move { rooms.follow_changes().await }
    });
    let feeds = rooms.feed_rooms();
    let result = match (wanted.letters.clone(), stream) {
        (Some(letters), _) => look_after(&feeds, letters, &stop).await,
        (None, Some(address)) => follow(&feeds, &address, crate::feeds::batch(config), &stop).await,
        (None, None) => feed(&feeds, &wanted, &files, crate::feeds::batch(config), &stop).await,
    };
    following.abort();
    rooms.close(Duration::from_secs(config.server.drain_seconds)).await;
    result
}

/// The stream that is named, if one is.
fn stream(wanted: &Ingest) -> Result<Option<StreamAddress>, Failure> {
    let Some(text) = wanted.from.iter().find(|from| from.starts_with("nats://")) else { return Ok(None) };
    if wanted.from.len() != 1 {
        return Err(Failure::failed("a stream is fed by itself: it has no end"));
    }
    let address: Result<StreamAddress, InvalidAddress> = text.parse();
    address.map(Some).map_err(|error| Failure::failed(error.to_string()))
}

/// Feeds a stream until it is asked to stop, which is how it ends well.
async fn follow(
    rooms: &FeedRooms,
    address: &StreamAddress,
    batch: Option<BatchRows>,
    stop: &Stop,
) -> Result<(), Failure> {
    let progress = Arc::new(FeedProgress::default());
    let patience = Duration::from_hours(1);
    let options = FeedOptions { batch, stop: stop.token(), patience, ..FeedOptions::default() };
    let since = Instant::now();
    output::line(format!("following {}; ctrl-C ends it", address.stream))?;
    let ended = feed_stream(rooms, address, &options, &progress).await;
    output::line(Tally::default().summary(&progress, since))?;
    ended.map_err(|error| failure(&error))
}

/// The files that are named, and those of the folders.
fn files(wanted: &Ingest) -> Result<Vec<FeedFile>, Failure> {
    let mut files = Vec::new();
    for from in &wanted.from {
        let path = Path::new(from);
        if path.is_dir() {
            if wanted.watch {
                continue;
            }
            let found = files_of(path).map_err(|error| Failure::io("read the folder", path, &error))?;
            if found.is_empty() {
                let message = format!(
                    "{from} holds no feeds: their names begin with catalogue, prices, stock or orders and end in .csv, \
                     .ndjson or .jsonl (and .gz)"
                );
                return Err(Failure::failed(message));
            }
            files.extend(found);
            continue;
        }
        if wanted.watch {
            return Err(Failure::failed(format!("{from} is no folder: --watch takes one folder")));
        }
        let meta = std::fs::metadata(path).map_err(|error| Failure::io("read", path, &error))?;
        if !meta.is_file() {
            return Err(Failure::failed(format!(
                "{from} is not a regular file: a feed is read twice, so copy it to one"
            )));
        }
        let nameless = |missing, error: OpenError| {
            if missing { Err(Failure::failed(error.to_string())) } else { Ok(()) }
        };
        nameless(wanted.kind.is_none() && kind_of(path).is_none(), OpenError::Kind(path.to_owned()))?;
        nameless(wanted.format.is_none() && format_of(path).is_none(), OpenError::Format(path.to_owned()))?;
        files.push(FeedFile { path: path.to_owned(), source: None, size: meta.len() });
    }
    if wanted.watch && wanted.from.len() != 1 {
        return Err(Failure::failed("--watch takes one folder"));
    }
    Ok(files)
}

/// What files came to.
#[derive(Default)]
struct Tally {
    done: usize,
    known: usize,
    refused: usize,
}

impl Tally {
    /// Counts a file, and tells where something is to be told.
    fn note(&mut self, path: &Path, fed: &Fed) -> Result<(), Failure> {
        match fed {
            Fed::Done(_) => self.done += 1,
            Fed::Known(_) => self.known += 1,
            Fed::Refused(Feed { why, .. }) => {
                self.refused += 1;
                let why = why.as_deref().unwrap_or("it can't be used");
                return output::line(format!("refused  {}: {why}", path.display()));
            }
            Fed::Stopped(_) => {}
        }
        Ok(())
    }

    fn summary(&self, progress: &FeedProgress, since: Instant) -> String {
        let counts = progress.look().counts;
        format!(
            "fed {} file(s), {} known before, {} refused: {} rows, {} changed something, {} did not, {} dead letters in {:.1} s",
            self.done,
            self.known,
            self.refused,
            counts.rows(),
            counts.changed,
            counts.unchanged,
            counts.dead,
            since.elapsed().as_secs_f64(),
        )
    }
}

async fn feed(
    rooms: &FeedRooms,
    wanted: &Ingest,
    files: &[FeedFile],
    batch: Option<BatchRows>,
    stop: &Stop,
) -> Result<(), Failure> {
    let progress = Arc::new(FeedProgress::default());
    let options = FeedOptions {
        source: wanted.source.clone(),
        kind: wanted.kind,
        format: wanted.format,
        at: wanted.at,
        batch,
        stop: stop.token(),
        ..FeedOptions::default()
    };
    let (since, mut tally) = (Instant::now(), Tally::default());
    if wanted.watch {
        return watch(rooms, wanted, &options, &progress).await;
    }
    let total = files.iter().map(|file| file.size).sum();
    let shown = tokio::spawn(show(Progress::begin("ingest", total), Arc::clone(&progress)));
    let mut before = 0;
    let mut result = Ok(());
    for file in files {
        let source = file.source.clone().unwrap_or_else(|| options.source.clone());
        let mine = FeedOptions { source, ..options.clone() };
        match feed_file(rooms, &file.path, &mine, &progress, before).await {
            Ok(fed) => result = tally.note(&file.path, &fed),
            Err(error) => result = Err(failure(&error)),
        }
        before += file.size;
        if result.is_err() || stop.is_wished() {
            break;
        }
    }
    shown.abort();
    let _ = shown.await;
    output::line(tally.summary(&progress, since))?;
    result?;
    if stop.is_wished() {
        return Err(Failure::new(Exit::Interrupted, "stopped before the end: run the same command to go on"));
    }
    match tally.refused {
        0 => Ok(()),
        n => Err(Failure::failed(format!("{n} file(s) were refused as a whole: see the lines above"))),
    }
}

async fn show(progress: Progress, counters: Arc<FeedProgress>) {
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tick.tick().await;
        progress.reached(counters.look().bytes);
    }
}

/// Feeds what arrives in a folder until it is asked to stop, which is how watching ends well.
async fn watch(
    rooms: &FeedRooms,
    wanted: &Ingest,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
) -> Result<(), Failure> {
    let (since, mut tally) = (Instant::now(), Tally::default());
    let folder = PathBuf::from(wanted.from.first().map(String::as_str).unwrap_or_default());
    output::line(format!("watching {}; ctrl-C ends it", folder.display()))?;
    let told = |file: &FeedFile, fed: &Result<Fed, FeedRunError>| {
        let path = file.path.display();
        // What can't be printed any more is read from the database.
        let _ = match fed {
            Ok(Fed::Done(feed)) => output::line(format!(
                "fed      {path}: {} rows, {} changed something, {} dead letters",
                feed.counts.rows(),
                feed.counts.changed,
                feed.counts.dead
            )),
            Ok(Fed::Known(_)) => output::line(format!("known    {path}")),
            Ok(_) => Ok(()),
            Err(error) => {
                output::note(format!("{path}: {error}; it is tried again"));
                Ok(())
            }
        };
        if let Ok(fed) = fed {
            let _ = tally.note(&file.path, fed);
        }
    };
    let ended = Watch::new(&folder).run(rooms, options, progress, told).await;
    ended.map_err(|error| Failure::io("read the folder", &folder, &error))?;
    output::line(tally.summary(progress, since))
}

async fn look_after(rooms: &FeedRooms, letters: Letters, stop: &Stop) -> Result<(), Failure> {
    let of = |which: &Which| LetterQuery {
        reason: which.reason,
        source: which.source.clone(),
        ..LetterQuery::default()
    };
    let failed = |error: FeedError| feed_failure(&error);
    match letters {
        Letters::Retry(which) => {
            let retried = match which.id {
                None => retry_all(rooms, &OPERATOR, &of(&which), &stop.token()).await.map_err(failed)?,
                Some(id) => {
                    let letter = rooms.feeds.letter(&OPERATOR, id).await.map_err(failed)?;
                    let faults = feed::retry(rooms, &OPERATOR, &letter, None).await.map_err(failed)?;
                    let still = u64::from(!faults.is_empty());
                    feed::Retried { done: 1 - still, still, moved: 0 }
                }
            };
            output::line(format!("{} done, {} still dead", retried.done, retried.still))?;
            if stop.is_wished() {
                return Err(Failure::new(
                    Exit::Interrupted,
                    "stopped before the end: run the same command to go on",
                ));
            }
            if retried.still > 0 {
                return Err(Failure::failed("some letters are still dead: `pulse ingest letters` says why"));
            }
            Ok(())
        }
        Letters::Discard(which) => {
            let dropped = match which.id {
                None => discard_all(rooms, &OPERATOR, &of(&which), &stop.token()).await.map_err(failed)?,
                Some(id) => {
                    let letter = rooms.feeds.letter(&OPERATOR, id).await.map_err(failed)?;
                    rooms.feeds.discard(&OPERATOR, &letter).await.map(|()| 1).map_err(failed)?
                }
            };
            output::line(format!("{dropped} dropped"))
        }
        Letters::List { which, json } => list(rooms, of(&which), which.id, json).await,
    }
}

async fn list(rooms: &FeedRooms, query: LetterQuery, id: Option<i64>, json: bool) -> Result<(), Failure> {
    let mut query = LetterQuery { limit: 200, ..query };
    loop {
        let page = rooms.feeds.letters(&OPERATOR, &query).await.map_err(|error| feed_failure(&error))?;
        for letter in page.items.iter().filter(|letter| id.is_none_or(|id| letter.id == id)) {
            output::line(if json { object(letter) } else { told(letter) })?;
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}

fn text(letter: &Letter) -> String {
    String::from_utf8_lossy(letter.mended.as_deref().unwrap_or(&letter.payload)).into_owned()
}

fn object(letter: &Letter) -> String {
    json!({
        "id": letter.id, "source": letter.source, "feed": letter.feed, "name": letter.name, "kind": letter.kind.name(),
        "row": letter.place.row, "line": letter.place.line, "reason": letter.reason.name(), "faults": letter.faults,
        "payload": text(letter), "tries": letter.tries, "buried_at": letter.buried_at,
    })
    .to_string()
}

/// A line with what is wrong, and one with the row.
fn told(letter: &Letter) -> String {
    let faults: Vec<String> = letter
        .faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.words).trim().to_owned())
        .collect();
    let shown: String =
        text(letter).chars().take(100).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!(
        "{:>6}  {} {} line {} ({}): {}\n        {shown}",
        letter.id,
        letter.source,
        letter.name,
        letter.place.line,
        letter.reason.name(),
        faults.join("; ")
    )
}

fn failure(error: &FeedRunError) -> Failure {
    match error {
        FeedRunError::Feed(error) => feed_failure(error),
        FeedRunError::Open(OpenError::Stopped) => Failure::new(Exit::Interrupted, "stopped before the end"),
        FeedRunError::Broker(_) => Failure::new(Exit::Unavailable, error.to_string()),
        other => {
            Failure::failed(format!("{other}; what is done is kept, the same command goes on from there"))
        }
    }
}

fn feed_failure(error: &FeedError) -> Failure {
    match error {
        FeedError::Db(error) => shop::db_failure(error),
        other => Failure::failed(other.to_string()),
    }
}
