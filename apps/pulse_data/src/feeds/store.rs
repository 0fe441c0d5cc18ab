//! The statements behind feeds: beginning, moving on, ending.
//!
//! **Invariant.** A feed's row is held while a batch of it is applied, and moves on only from the version that the batch
//! was made for.

use pulse_core::{Principal, Timestamp};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;

use super::feed::{COLUMNS, Counts, Feed, FeedState, NewFeed, Origin, read, stored};
use super::{FeedQuery, Seen};
use crate::page::{self, Direction};
use crate::{DbError, Sql as _, audit};

/// Whether a feed was found rather than made.
pub(super) type Known = bool;

/// Begins a feed, or finds it. One that was refused is looked at again.
pub(super) async fn begin(
    tx: &impl ConnectionTrait,
    who: &Principal,
    new: &NewFeed,
    now: Timestamp,
) -> Result<(Feed, Known), DbError> {
    let state = if new.origin == Origin::Post { FeedState::Waiting } else { FeedState::Running };
    let sql = "INSERT INTO feeds (source, kind, origin, name, content, format, columns, fed_by, state, seen, version, \
               row_count, changed, unchanged, dead, fed_at, began_at, touched_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, 0, 0, 0, 0, $10, $11, $11) \
               ON CONFLICT (source, kind, content) DO NOTHING";
    let columns = serde_json::to_string(&new.columns).map_err(|error| DbError::Corrupt(error.to_string()))?;
    let values = vec![
        new.source.as_str().into(),
        new.kind.name().into(),
        new.origin.name().into(),
        new.name.as_str().into(),
        new.content.as_str().into(),
        new.format.name().into(),
        columns.into(),
        who.to_string().into(),
        state.name().into(),
        new.fed_at.unwrap_or(now).0.into(),
        now.0.into(),
    ];
    let made = tx.exec(sql, values).await? == 1;
    let sql = format!("SELECT {COLUMNS} FROM feeds WHERE source = $1 AND kind = $2 AND content = $3");
    let values = vec![new.source.as_str().into(), new.kind.name().into(), new.content.as_str().into()];
    let row = tx.row(&sql, values).await?;
    let row = row.ok_or_else(|| DbError::Corrupt(format!("feed {:?} was not stored", new.name)))?;
    let mut feed = read(&row)?;
    if made {
        let details = json!({
            "source": feed.source, "kind": feed.kind.name(), "name": feed.name, "content": new.content,
        });
        audit::record(tx, who, "feed.begin", &subject(feed.id), details).await?;
    } else if feed.state == FeedState::Refused {
        let sql = "UPDATE feeds SET state = 'running', why = NULL, touched_at = $2 WHERE id = $1";
        tx.exec(sql, vec![feed.id.into(), now.0.into()]).await?;
        (feed.state, feed.why) = (FeedState::Running, None);
    }
    Ok((feed, !made))
}

/// Keeps the header of a feed.
pub(super) async fn headed(tx: &impl ConnectionTrait, id: i64, columns: &[String]) -> Result<(), DbError> {
    let columns = serde_json::to_string(columns).map_err(|error| DbError::Corrupt(error.to_string()))?;
    tx.exec("UPDATE feeds SET columns = $2 WHERE id = $1", vec![id.into(), columns.into()]).await.map(drop)
}

/// The name of a feed in the audit trail.
pub(super) fn subject(feed: i64) -> String {
    format!("feed:{feed}")
}

/// A feed whose row is held from now on.
pub(super) async fn hold(tx: &impl ConnectionTrait, id: i64) -> Result<Option<Feed>, DbError> {
    let hold = if tx.get_database_backend() == DbBackend::Postgres { " FOR NO KEY UPDATE" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM feeds WHERE id = $1{hold}");
    tx.row(&sql, vec![id.into()]).await?.as_ref().map(read).transpose()
}

/// Moves a held feed on by a batch.
pub(super) async fn advance(
    tx: &impl ConnectionTrait,
    mut feed: Feed,
    seen: &Seen,
    counts: Counts,
    now: Timestamp,
) -> Result<Feed, DbError> {
    feed.seen.extend(seen);
    feed.counts = feed.counts.plus(counts);
    feed.version += 1;
    feed.touched_at = now;
    feed.state = FeedState::Running;
    let sql = "UPDATE feeds SET seen = $2, version = $3, row_count = $4, changed = $5, unchanged = $6, dead = $7, \
               touched_at = $8, state = 'running' WHERE id = $1";
    let Counts { changed, unchanged, dead } = feed.counts;
    let values = vec![
        feed.id.into(),
        feed.seen.to_string().into(),
        feed.version.into(),
        stored(feed.counts.rows()).into(),
        stored(changed).into(),
        stored(unchanged).into(),
        stored(dead).into(),
        now.0.into(),
    ];
    tx.exec(sql, values).await?;
    Ok(feed)
}

/// Ends a feed; its body, if it was posted, has had its day. Again changes nothing.
pub(super) async fn end(
    tx: &impl ConnectionTrait,
    who: &Principal,
    id: i64,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let (state, action) = if why.is_some() { ("refused", "feed.refuse") } else { ("done", "feed.done") };
    let sql = "UPDATE feeds SET state = $2, why = $3, touched_at = $4 WHERE id = $1 AND state IN ('waiting', 'running')";
    let values = vec![id.into(), state.into(), why.map(str::to_owned).into(), now.0.into()];
    if tx.exec(sql, values).await? == 0 {
        return Ok(());
    }
    tx.exec("DELETE FROM feed_bodies WHERE feed_id = $1", vec![id.into()]).await?;
    let Some(feed) = get(tx, id).await? else { return Ok(()) };
    let Counts { changed, unchanged, dead } = feed.counts;
    let details = json!({ "changed": changed, "unchanged": unchanged, "dead": dead, "why": why });
    audit::record(tx, who, action, &subject(id), details).await
}

/// One feed.
pub(super) async fn get(db: &impl ConnectionTrait, id: i64) -> Result<Option<Feed>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM feeds WHERE id = $1");
    db.row(&sql, vec![id.into()]).await?.as_ref().map(read).transpose()
}

/// Feeds, that of which something became last first.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    query: &FeedQuery,
    after: Option<(i64, i64)>,
    fetch: u64,
) -> Result<Vec<Feed>, DbError> {
    let mut wheres = vec!["TRUE".to_owned()];
    let mut values: Vec<sea_orm::Value> = Vec::new();
    if let Some(source) = &query.source {
        values.push(source.as_str().into());
        wheres.push(format!("source = ${}", values.len()));
    }
    if let Some(state) = query.state {
        values.push(state.name().into());
        wheres.push(format!("state = ${}", values.len()));
    }
    if let Some((at, id)) = after {
        wheres.push(page::after(&["touched_at", "id"], Direction::Descending, values.len() + 1));
        values.extend([at.into(), id.into()]);
    }
    values.push(i64::try_from(fetch).unwrap_or(i64::MAX).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM feeds WHERE {} ORDER BY touched_at DESC, id DESC LIMIT ${}",
        wheres.join(" AND "),
        values.len()
    );
    db.rows(&sql, values).await?.iter().map(read).collect()
}
