//! A batch of rows, done in one transaction.
//!
//! **Invariant.** The feed's row is held first, then products in the order of their codes: nobody waits in a circle. What
//! was changed is kept beside the audit row that names its hash, so that who changed what can be shown.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use pulse_core::{Principal, Sku, Timestamp};
use sea_orm::ConnectionTrait;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::decide::{self, Tally, Ties};
use super::feed::{Counts, Feed, FeedState};
use super::rows::{Entry, Fault, Goods, NewLetter, Reason};
use super::shelves::{self, Changes};
use super::store::{self, subject};
use super::{FeedError, Feeds, Letter, LetterState, Seen, letters};
use crate::catalog::stock::json as text;
use crate::{DbError, Sql as _, audit};

/// Rows of a feed that are dealt with together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Which feed.
    pub feed: i64,
    /// The version of the feed that it was made for.
    pub version: i64,
    /// The rows that it deals with.
    pub seen: Seen,
    /// What is to be done.
    pub goods: Option<Goods>,
    /// Rows that can't be used.
    pub letters: Vec<NewLetter>,
    /// What others have done already, as the orders' events.
    pub done: Counts,
}

/// What a batch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The feed as it is now.
    pub feed: Feed,
    /// What became of the batch's rows.
    pub counts: Counts,
    /// Why those died that did: at most one entry a reason.
    pub reasons: Vec<(Reason, u64)>,
}

/// Applies a batch in the caller's transaction. Answers which products have changed, too.
pub(super) async fn apply(
    tx: &impl ConnectionTrait,
    who: &Principal,
    batch: &Batch,
    now: Timestamp,
) -> Result<(Applied, Vec<Sku>), FeedError> {
    let feed = store::hold(tx, batch.feed).await?.ok_or(FeedError::NotFound(batch.feed))?;
    if feed.version != batch.version || matches!(feed.state, FeedState::Done | FeedState::Refused) {
        return Err(FeedError::Stale(Box::new(feed)));
    }
    let (tally, changes) = match &batch.goods {
        Some(goods) => do_goods(tx, goods, Ties::Win, now).await?,
        None => (Tally::default(), Changes::default()),
    };
    let mut dead = tally.dead;
    dead.extend_from_slice(&batch.letters);
    let counts = Counts { changed: tally.changed, unchanged: tally.unchanged, dead: dead.len() as u64 }
        .plus(batch.done);
    if !dead.is_empty() {
        let open = letters::open(tx, feed.id).await?;
        if open + counts.dead > Feeds::MOST_OPEN {
            return Err(FeedError::TooManyLetters { feed: feed.id, open });
        }
        letters::bury(tx, feed.id, &dead, now).await?;
    }
    let feed = store::advance(tx, feed, &batch.seen, counts, now).await?;
    if counts.changed + counts.dead > 0 {
        let digest = keep(tx, &feed, &changes, now).await?;
        let details = json!({
            "batch": feed.version, "rows": batch.seen.bounds(), "changed": counts.changed,
            "unchanged": counts.unchanged, "dead": counts.dead, "changes": digest,
        });
        audit::record(tx, who, "feed.batch", &subject(feed.id), details).await?;
    }
    Ok((Applied { feed, counts, reasons: letters::reasons(&dead) }, changes.skus))
}

async fn do_goods(
    tx: &impl ConnectionTrait,
    goods: &Goods,
    ties: Ties,
    now: Timestamp,
) -> Result<(Tally, Changes), DbError> {
    match goods {
        Goods::Prices(rows) => {
            let mut held = shelves::prices(tx, skus(rows, |row| row.sku)).await?;
            let tally = decide::prices(rows, &mut held, ties);
            Ok((tally, shelves::write_prices(tx, &held, now).await?))
        }
        Goods::Stock(rows) => {
            let mut held = shelves::stock(tx, skus(rows, |row| row.sku)).await?;
            let tally = decide::stock(rows, &mut held, ties);
            Ok((tally, shelves::write_stock(tx, &held).await?))
        }
        Goods::Catalogue(rows) => {
            let mut held = shelves::items(tx, skus(rows, |row| row.sku)).await?;
            let tally = decide::catalogue(rows, &mut held, ties);
            Ok((tally, shelves::write_items(tx, &held, now).await?))
        }
    }
}

fn skus<T>(rows: &[Entry<T>], sku: fn(&T) -> Sku) -> impl Iterator<Item = Sku> {
    rows.iter().map(move |entry| sku(&entry.row))
}

/// Keeps what a batch has changed; answers its hash.
async fn keep(
    tx: &impl ConnectionTrait,
    feed: &Feed,
    changes: &Changes,
    now: Timestamp,
) -> Result<Option<String>, DbError> {
    if changes.lines.is_empty() {
        return Ok(None);
    }
    let lines = text(&changes.lines)?;
    let digest = letters::hex(&Sha256::digest(lines.as_bytes()));
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
    let deflated = deflated.write_all(lines.as_bytes()).and_then(|()| deflated.finish());
    let deflated = deflated.map_err(|error| DbError::Other(error.to_string()))?;
    let sql = "INSERT INTO feed_batches (feed_id, batch_no, applied_at, changes) VALUES ($1, $2, $3, $4)";
    tx.exec(sql, vec![feed.id.into(), feed.version.into(), now.0.into(), deflated.into()]).await?;
    Ok(Some(digest))
}

/// What the newest batches of a feed have changed.
pub(super) async fn changes_of(
    db: &impl ConnectionTrait,
    feed: i64,
    most: u32,
) -> Result<Vec<(i64, String)>, DbError> {
    let sql = "SELECT batch_no, changes FROM feed_batches WHERE feed_id = $1 ORDER BY batch_no DESC LIMIT $2";
    let rows = db.rows(sql, vec![feed.into(), i64::from(most).into()]).await?;
    let read = |row: &sea_orm::QueryResult| {
        let (batch, deflated): (i64, Vec<u8>) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let mut lines = String::new();
        let inflated = DeflateDecoder::new(&deflated[..]).read_to_string(&mut lines);
        inflated.map_err(|error| DbError::Corrupt(format!("batch {batch} of feed {feed}: {error}")))?;
        Ok((batch, lines))
    };
    rows.iter().map(read).collect()
}

/// Forgets what older batches have changed.
pub(super) async fn prune(tx: &impl ConnectionTrait, before: Timestamp) -> Result<u64, DbError> {
    tx.exec("DELETE FROM feed_batches WHERE applied_at < $1", vec![before.0.into()]).await
}

/// Does what a dead letter says, and closes it. Answers what still stands against it, and which products have changed.
pub(super) async fn replay(
    tx: &impl ConnectionTrait,
    who: &Principal,
    letter: &Letter,
    goods: Option<&Goods>,
    mended: Option<&[u8]>,
    now: Timestamp,
) -> Result<(Vec<Fault>, Vec<Sku>), FeedError> {
    letters::take(tx, letter, mended, now).await?;
    let (tally, changes) = match goods {
        Some(goods) => do_goods(tx, goods, Ties::Lose, now).await?,
        None => (Tally::default(), Changes::default()),
    };
    if let Some(dead) = tally.dead.into_iter().next() {
        letters::blame(tx, letter, &dead.faults).await?;
        return Ok((dead.faults, Vec::new()));
    }
    letters::close(tx, who, letter, letter.tries + 1, LetterState::Replayed, &changes.lines).await?;
    Ok((Vec::new(), changes.skus))
}
