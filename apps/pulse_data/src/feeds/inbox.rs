//! Bodies that were posted, kept until they are fed.
//!
//! **Invariant.** A body is stored in the transaction that makes its feed, so whoever was told that it is taken can forget
//! it; what waits is bounded.

use pulse_core::{Principal, Timestamp};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::feed::{Feed, FeedState, NewFeed};
use super::{FeedError, Feeds, store};
use crate::changeset::{Changeset, FieldErrors};
use crate::{DbError, Sql as _};

/// A posted body that is to be fed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its feed.
    pub feed: Feed,
    /// What was posted.
    pub body: Vec<u8>,
}

/// What the schema would refuse.
pub(super) fn check(new: &NewFeed) -> Result<(), FieldErrors> {
    let mut input = Changeset::new(json!({}));
    input.length("source", Some(&new.source), 1..=60);
    input.length("name", Some(&new.name), 1..=500);
    input.length("content", Some(&new.content), 1..=500);
    for (field, text) in [("source", &new.source), ("name", &new.name), ("content", &new.content)] {
        input.check(field, !text.contains('\0'), "format", "must not hold a NUL character");
    }
    input.finish(()).map(drop)
}

/// Keeps a body under its feed, unless the feed is known.
pub(super) async fn post(
    tx: &impl ConnectionTrait,
    who: &Principal,
    new: &NewFeed,
    body: &[u8],
    now: Timestamp,
) -> Result<(Feed, bool), FeedError> {
    let (feed, known) = store::begin(tx, who, new, now).await?;
    if known {
        // Under a key of the client's own, the name tells the content.
        let reused = new.content.starts_with("key:") && feed.name != new.name;
        return if reused { Err(FeedError::KeyReused) } else { Ok((feed, true)) };
    }
    let waiting = tx.row("SELECT COUNT(*) FROM feed_bodies", vec![]).await?;
    let waiting = waiting.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0)).map_err(DbError::from)?;
    if waiting >= Feeds::MOST_WAITING {
        return Err(FeedError::Full);
    }
    let sql = "INSERT INTO feed_bodies (feed_id, body) VALUES ($1, $2)";
    tx.exec(sql, vec![feed.id.into(), body.to_vec().into()]).await?;
    Ok((feed, false))
}

/// How many bodies wait, and since when the oldest does.
pub(super) async fn backlog(db: &impl ConnectionTrait) -> Result<(u64, Option<Timestamp>), DbError> {
    let sql = "SELECT COUNT(*), MIN(f.began_at) FROM feed_bodies b JOIN feeds f ON f.id = b.feed_id";
    let Some(row) = db.row(sql, vec![]).await? else { return Ok((0, None)) };
    let waiting: i64 = row.try_get_by_index(0)?;
    Ok((waiting.max(0).unsigned_abs(), row.try_get_by_index::<Option<i64>>(1)?.map(Timestamp)))
}

/// The oldest body that waits, after the feed of that number.
pub(super) async fn waiting(db: &impl ConnectionTrait, after: i64) -> Result<Option<Waiting>, DbError> {
    let sql = "SELECT feed_id, body FROM feed_bodies WHERE feed_id > $1 ORDER BY feed_id LIMIT 1";
    let Some(row) = db.row(sql, vec![after.into()]).await? else { return Ok(None) };
    let (id, body): (i64, Vec<u8>) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    let feed = store::get(db, id).await?.ok_or_else(|| DbError::Corrupt(format!("body {id} has no feed")))?;
    Ok(Some(Waiting { feed, body }).filter(|waiting| waiting.feed.state != FeedState::Done))
}
