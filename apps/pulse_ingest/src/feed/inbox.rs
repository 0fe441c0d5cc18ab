//! Posted bodies, fed one after the other beside the shop.
//!
//! **Invariant.** A body is dropped only with the end of its feed. One that can't go on (too many dead letters) holds up no
//! other.

use std::sync::Arc;
use std::time::Duration;

use pulse_data::feeds::FeedError;

use super::progress::FeedProgress;
use super::run::{Fed, FeedOptions, FeedRooms, FeedRunError, WHO, feed_body};

/// How often it is looked for bodies.
const LOOK: Duration = Duration::from_millis(500);

/// How long a feed that could not go on is left alone.
const LATER: Duration = Duration::from_secs(10);

/// Feeds everything that waits, once. Answers whether all of it went to its end.
pub async fn feed_waiting(
    rooms: &FeedRooms,
    options: &FeedOptions,
    progress: &Arc<FeedProgress>,
) -> Result<bool, FeedError> {
    let (mut after, mut all) = (0, true);
    while let Some(waiting) = rooms.feeds.waiting(&WHO, after).await? {
        after = waiting.feed.id;
        match feed_body(rooms, waiting, options, progress).await {
            Ok(Fed::Stopped(_)) => return Ok(false),
            Ok(how) => tell(after, &how),
            Err(FeedRunError::Feed(error @ FeedError::Db(_))) => return Err(error),
            Err(error) => {
                all = false;
                tracing::warn!(feed = after, %error, "a posted feed can't go on");
            }
        }
    }
    Ok(all)
}

fn tell(feed: i64, how: &Fed) {
    match how {
        Fed::Done(done) => {
            let counts = done.counts;
            tracing::info!(
                feed,
                changed = counts.changed,
                unchanged = counts.unchanged,
                dead = counts.dead,
                "a feed is done"
            );
        }
        Fed::Refused(_) => tracing::warn!(feed, "a posted feed is refused as a whole"),
        Fed::Known(_) | Fed::Stopped(_) => {}
    }
}

/// Feeds what is posted until it is asked to stop.
pub async fn follow_posts(rooms: &FeedRooms, options: &FeedOptions, progress: &Arc<FeedProgress>) {
    while !options.stop.is_cancelled() {
        let pause = match feed_waiting(rooms, options, progress).await {
            Ok(true) => LOOK,
            Ok(false) => LATER,
            Err(error) => {
                tracing::warn!(%error, "posted feeds can't be read; they are looked for again");
                LATER
            }
        };
        options.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}
