//! Dead letters: rows that can't be used, until somebody mends or drops them.
//!
//! **Invariant.** A row has one letter at most, which is closed once: by a replay that has done what it says, or by a
//! person who drops it.

use std::collections::BTreeMap;

use pulse_core::{Principal, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::{Value, json};

use super::feed::{count, named, stored};
use super::rows::{Fault, NewLetter, Place, Reason};
use super::{FeedError, Letter, LetterCount, LetterQuery, LetterState};
use crate::catalog::sql::Dialects;
use crate::catalog::stock::json as list;
use crate::{DbError, Sql as _, audit};

const BURY: Dialects = Dialects {
    sqlite: "INSERT INTO feed_letters (feed_id, row_no, line_no, reason, faults, payload, cut, state, tries, buried_at) \
             SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4), value ->> 5, 'open', 0, $3 \
             FROM json_each($2) WHERE TRUE ON CONFLICT (feed_id, row_no) DO NOTHING",
    postgres: "INSERT INTO feed_letters (feed_id, row_no, line_no, reason, faults, payload, cut, state, tries, buried_at) \
               SELECT $1, (e ->> 0)::bigint, (e ->> 1)::bigint, e ->> 2, e ->> 3, decode(e ->> 4, 'hex'), \
               (e ->> 5)::boolean, 'open', 0, $3 FROM jsonb_array_elements($2::jsonb) e \
               ON CONFLICT (feed_id, row_no) DO NOTHING",
};

/// Keeps rows; those that are kept already stay as they are.
pub(super) async fn bury(
    tx: &impl ConnectionTrait,
    feed: i64,
    letters: &[NewLetter],
    now: Timestamp,
) -> Result<(), DbError> {
    if letters.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(letters.len());
    for letter in letters {
        let Place { row, line } = letter.place;
        let reason = reason(&letter.faults).name();
        let faults = list(&letter.faults)?;
        rows.push(json!([stored(row), stored(line), reason, faults, hex(&letter.payload), letter.cut]));
    }
    tx.exec(BURY.of(tx), vec![feed.into(), list(&rows)?.into(), now.0.into()]).await.map(drop)
}

/// What a letter is filed under: its first fault.
pub(super) fn reason(faults: &[Fault]) -> Reason {
    faults.first().map_or(Reason::Refused, |fault| fault.reason)
}

/// How many letters each reason has; O(letters log reasons).
pub(super) fn reasons(letters: &[NewLetter]) -> Vec<(Reason, u64)> {
    let mut counts = BTreeMap::new();
    for letter in letters {
        *counts.entry(reason(&letter.faults)).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|n| char::from(DIGITS[usize::from(n)])).collect()
}

const COLUMNS: &str = "l.id, l.feed_id, f.source, f.kind, l.row_no, l.line_no, l.reason, l.faults, l.payload, l.cut, \
                       l.mended, l.state, l.tries, l.buried_at, l.tried_at, l.closed_by, f.name";

fn read(row: &QueryResult) -> Result<Letter, DbError> {
    let text = |at: usize| -> Result<String, DbError> { Ok(row.try_get_by_index(at)?) };
    let faults = serde_json::from_str(&text(7)?).map_err(|error| DbError::Corrupt(error.to_string()))?;
    Ok(Letter {
        id: row.try_get_by_index(0)?,
        feed: row.try_get_by_index(1)?,
        source: text(2)?,
        kind: named(&text(3)?, super::Kind::from_name)?,
        name: text(16)?,
        place: Place { row: count(row, 4)?, line: count(row, 5)? },
        reason: named(&text(6)?, Reason::from_name)?,
        faults,
        payload: row.try_get_by_index(8)?,
        cut: row.try_get_by_index(9)?,
        mended: row.try_get_by_index(10)?,
        state: named(&text(11)?, LetterState::from_name)?,
        tries: row.try_get_by_index(12)?,
        buried_at: Timestamp(row.try_get_by_index(13)?),
        tried_at: row.try_get_by_index::<Option<i64>>(14)?.map(Timestamp),
        closed_by: row.try_get_by_index(15)?,
    })
}

/// One letter.
pub(super) async fn get(db: &impl ConnectionTrait, id: i64) -> Result<Option<Letter>, DbError> {
    let sql =
        format!("SELECT {COLUMNS} FROM feed_letters l JOIN feeds f ON f.id = l.feed_id WHERE l.id = $1");
    db.row(&sql, vec![id.into()]).await?.as_ref().map(read).transpose()
}

/// The conditions of a query, without its page.
fn wheres(query: &LetterQuery) -> (Vec<String>, Vec<sea_orm::Value>) {
    let mut values: Vec<sea_orm::Value> = vec![query.state.name().into()];
    let mut wheres = vec!["l.state = $1".to_owned()];
    if let Some(reason) = query.reason {
        values.push(reason.name().into());
        wheres.push(format!("l.reason = ${}", values.len()));
    }
    if let Some(source) = &query.source {
        values.push(source.as_str().into());
        wheres.push(format!("f.source = ${}", values.len()));
    }
    if let Some(feed) = query.feed {
        values.push(feed.into());
        wheres.push(format!("l.feed_id = ${}", values.len()));
    }
    (wheres, values)
}

/// Letters in the order in which they were buried.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    query: &LetterQuery,
    after: Option<i64>,
    fetch: u64,
) -> Result<Vec<Letter>, DbError> {
    let (mut wheres, mut values) = wheres(query);
    if let Some(after) = after {
        values.push(after.into());
        wheres.push(format!("l.id > ${}", values.len()));
    }
    values.push(i64::try_from(fetch).unwrap_or(i64::MAX).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM feed_letters l JOIN feeds f ON f.id = l.feed_id WHERE {} ORDER BY l.id LIMIT ${}",
        wheres.join(" AND "),
        values.len()
    );
    db.rows(&sql, values).await?.iter().map(read).collect()
}

/// Open letters by source and reason.
pub(super) async fn counts(db: &impl ConnectionTrait) -> Result<Vec<LetterCount>, DbError> {
    let sql = "SELECT f.source, l.reason, COUNT(*) FROM feed_letters l JOIN feeds f ON f.id = l.feed_id \
               WHERE l.state = 'open' GROUP BY f.source, l.reason ORDER BY f.source, l.reason";
    let rows = db.rows(sql, vec![]).await?;
    let read = |row: &QueryResult| {
        let reason: String = row.try_get_by_index(1)?;
        let (source, reason) = (row.try_get_by_index(0)?, named(&reason, Reason::from_name)?);
        Ok(LetterCount { source, reason, letters: count(row, 2)? })
    };
    rows.iter().map(read).collect()
}

/// How many letters of a feed are open.
pub(super) async fn open(db: &impl ConnectionTrait, feed: i64) -> Result<u64, DbError> {
    let sql = "SELECT COUNT(*) FROM feed_letters WHERE feed_id = $1 AND state = 'open'";
    db.row(sql, vec![feed.into()]).await?.as_ref().map_or(Ok(0), |row| count(row, 0))
}

/// Holds an open letter for a try, unless somebody was faster.
pub(super) async fn take(
    tx: &impl ConnectionTrait,
    letter: &Letter,
    mended: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), FeedError> {
    let sql = "UPDATE feed_letters SET tries = tries + 1, tried_at = $3, mended = COALESCE($4, mended) \
               WHERE id = $1 AND tries = $2 AND state = 'open'";
    let mended = mended.map(<[u8]>::to_vec);
    let values = vec![letter.id.into(), letter.tries.into(), now.0.into(), mended.into()];
    if tx.exec(sql, values).await? == 1 { Ok(()) } else { Err(FeedError::LetterMoved(letter.id)) }
}

/// Notes what stands against a letter now.
pub(super) async fn blame(
    tx: &impl ConnectionTrait,
    letter: &Letter,
    faults: &[Fault],
) -> Result<(), DbError> {
    let sql = "UPDATE feed_letters SET reason = $2, faults = $3 WHERE id = $1";
    tx.exec(sql, vec![letter.id.into(), reason(faults).name().into(), list(&faults)?.into()]).await.map(drop)
}

/// Closes an open letter that was tried so often, unless somebody was faster. `changes` is what its replay has changed.
pub(super) async fn close(
    tx: &impl ConnectionTrait,
    who: &Principal,
    letter: &Letter,
    tries: i64,
    state: LetterState,
    changes: &[Value],
) -> Result<(), FeedError> {
    let sql =
        "UPDATE feed_letters SET state = $3, closed_by = $4 WHERE id = $1 AND tries = $2 AND state = 'open'";
    let values = vec![letter.id.into(), tries.into(), state.name().into(), who.to_string().into()];
    if tx.exec(sql, values).await? == 0 {
        return Err(FeedError::LetterMoved(letter.id));
    }
    let action = if state == LetterState::Discarded { "feed.letter.discard" } else { "feed.letter.replay" };
    let details = json!({
        "feed": letter.feed, "row": letter.place.row, "reason": letter.reason.name(), "changes": changes,
    });
    Ok(audit::record(tx, who, action, &format!("letter:{}", letter.id), details).await?)
}
