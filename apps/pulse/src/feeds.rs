//! Feeds that arrive while the shop runs: posted bodies, and a folder and a stream where they are configured.
//!
//! **Invariant.** Each is a supervised child: what goes wrong with one is told and tried again, and the shop goes on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use otp::Supervisor;
use pulse_data::feeds::Backlog;
use pulse_ingest::feed::{
    BatchRows, Fed, FeedFile, FeedOptions, FeedRunError, StreamAddress, Watch, feed_stream, follow_posts,
};

use crate::background::{Lasting, Periodic};
use crate::config::Config;
use crate::rooms::Rooms;
use crate::shop::OPERATOR;

/// A database that is gone is waited for: nobody waits for a feed in the background.
const PATIENCE: Duration = Duration::from_hours(24);

fn options(config: &Config) -> FeedOptions {
    FeedOptions { batch: batch(config), patience: PATIENCE, ..FeedOptions::default() }
}

/// The configured size of a batch; checked with the configuration.
pub(crate) fn batch(config: &Config) -> Option<BatchRows> {
    config.ingest.batch_rows.and_then(BatchRows::new)
}

/// How often what waits is counted.
const COUNT: Duration = Duration::from_secs(5);

/// What waits for somebody or for its turn, as of the last count: so that a scrape asks no database.
pub(crate) type Waiting = Arc<Mutex<Backlog>>;

/// Counts what waits, again and again.
fn count(rooms: &Rooms, waiting: &Waiting) -> Periodic {
    let (feeds, waiting) = (rooms.feeds.clone(), Arc::clone(waiting));
    Periodic::every(COUNT, "count of waiting feeds", move || {
        let (feeds, waiting) = (feeds.clone(), Arc::clone(&waiting));
        async move {
            let backlog = feeds.backlog(&OPERATOR).await.map_err(|error| error.to_string())?;
            *waiting.lock().unwrap_or_else(PoisonError::into_inner) = backlog;
            Ok(())
        }
    })
}

/// Adds what attends to feeds.
pub(crate) fn attend(
    supervisor: Supervisor,
    config: &Config,
    rooms: &Rooms,
    waiting: &Waiting,
) -> Supervisor {
    let (feeds, keep) = (rooms.feeds.clone(), Duration::from_hours(24 * config.ingest.keep_days));
    let prune = Periodic::every(Duration::from_hours(1), "feed cleanup", move || {
        let feeds = feeds.clone();
        async move { feeds.prune(&OPERATOR, keep).await.map(|_| ()).map_err(|error| error.to_string()) }
    });
    let (posted, posts, fed) = (rooms.feed_rooms(), options(config), Arc::clone(&rooms.fed));
    let supervisor = supervisor
        .child("feed-cleanup", prune.spec())
        .child("feeds-counted", count(rooms, waiting).spec())
        .child(
            "feeds-posted",
            Lasting::spec(move || {
                let (rooms, options, fed) = (posted.clone(), posts.clone(), Arc::clone(&fed));
                async move { follow_posts(&rooms, &options, &fed).await }
            }),
        );
    follow_stream(watch_folder(supervisor, config, rooms), config, rooms)
}

fn watch_folder(supervisor: Supervisor, config: &Config, rooms: &Rooms) -> Supervisor {
    let Some(folder) = config.ingest.folder.clone() else { return supervisor };
    let (arriving, files, fed) = (rooms.feed_rooms(), options(config), Arc::clone(&rooms.fed));
    supervisor.child(
        "feeds-folder",
        Lasting::spec(move || {
            let (rooms, options) = (arriving.clone(), files.clone());
            let (folder, fed) = (folder.clone(), Arc::clone(&fed));
            async move {
                let watch = Watch::new(&folder).run(&rooms, &options, &fed, tell);
                if let Err(error) = watch.await {
                    tracing::warn!(folder = %folder.display(), %error, "the folder of feeds can't be read; it is looked at again");
                }
            }
        }),
    )
}

fn follow_stream(supervisor: Supervisor, config: &Config, rooms: &Rooms) -> Supervisor {
    // Checked with the configuration.
    let Some(address) = config.ingest.stream.as_deref().and_then(|text| text.parse::<StreamAddress>().ok())
    else {
        return supervisor;
    };
    let (streaming, messages, fed) = (rooms.feed_rooms(), options(config), Arc::clone(&rooms.fed));
    supervisor.child(
        "feeds-stream",
        Lasting::spec(move || {
            let (rooms, options) = (streaming.clone(), messages.clone());
            let (address, fed) = (address.clone(), Arc::clone(&fed));
            async move {
                if let Err(error) = feed_stream(&rooms, &address, &options, &fed).await {
                    let stream = address.stream;
                    tracing::warn!(stream, %error, "the stream of feeds can't go on; it is tried again");
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        }),
    )
}

fn tell(file: &FeedFile, how: &Result<Fed, FeedRunError>) {
    let file = file.path.display();
    match how {
        Ok(Fed::Done(feed)) => {
            let counts = feed.counts;
            tracing::info!(%file, changed = counts.changed, unchanged = counts.unchanged, dead = counts.dead, "a feed is done");
        }
        Ok(Fed::Refused(feed)) => tracing::warn!(%file, feed = feed.id, "a feed is refused as a whole"),
        Ok(Fed::Known(_) | Fed::Stopped(_)) => {}
        Err(error) => tracing::warn!(%file, %error, "a feed can't go on; it is tried again"),
    }
}
