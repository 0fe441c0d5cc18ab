//! Dead letters of imports for those who look after them: what was kept of a row, and whether somebody has dealt with it.
//!
//! **Invariant.** A letter is dismissed once, by one person, with a note that says why; the letter and the audit row that
//! tells of it are one transaction.

use futures::FutureExt as _;
use pulse_core::{Permission, Principal, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::json;

use super::store::count;
use super::{DeadLetter, ImportError, Imports};
use crate::changeset::{Changeset, FieldErrors};
use crate::page::{Cursor, Page};
use crate::{DbError, Sql as _, audit};

/// Which letter: a file has one a row at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LetterKey {
    /// The number of its file here.
    pub file: i64,
    /// Which data row of its file, from 1.
    pub row: u64,
}

/// How somebody has dealt with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub note: String,
}

/// A dead letter with its file and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLetter {
    /// Which one.
    pub key: LetterKey,
    /// What its file was called.
    pub name: String,
    /// The row, and why it made no sense.
    pub letter: DeadLetter,
    /// How it was dealt with; nothing while it is open.
    pub closed: Option<Closed>,
}

/// Which letters, in the order of files and rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLetterQuery {
    /// Only those of this reason.
    pub reason: Option<String>,
    /// Those that were dismissed, in place of the open ones.
    pub dismissed: bool,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// Rows of a page.
    pub limit: u32,
}

impl Default for ImportLetterQuery {
    fn default() -> Self {
        Self { reason: None, dismissed: false, after: None, limit: 50 }
    }
}

impl ImportLetterQuery {
    /// Whether no letter can have that reason: PostgreSQL takes no text with a NUL character.
    fn is_vain(&self) -> bool {
        self.reason.as_ref().is_some_and(|reason| reason.contains('\0'))
    }
}

impl Imports {
    /// Characters of a note at most.
    pub const MOST_NOTE: usize = 200;

    /// Letters that one transaction of [`dismiss_all`](Self::dismiss_all) closes at most.
    pub const BATCH: u32 = 500;

    /// A page of dead letters of all files.
    pub async fn letters(
        &self,
        who: &Principal,
        query: &ImportLetterQuery,
    ) -> Result<Page<ImportLetter>, ImportError> {
        who.require(Permission::RunFeeds)?;
        let after = query.after.as_ref().map(Cursor::key::<(i64, i64)>).transpose()?;
        if query.is_vain() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let found = page(self.repo.reader(), query, after, Page::<ImportLetter>::fetch(query.limit)).await?;
        Ok(Page::of(found, query.limit, |last| (last.key.file, stored(last.key.row))))
    }

    /// How many letters are open, by reason; reasons without any are absent. O(open letters).
    pub async fn open_letters(&self, who: &Principal) -> Result<Vec<(String, u64)>, ImportError> {
        who.require(Permission::RunFeeds)?;
        Ok(open(self.repo.reader()).await?)
    }

    /// Closes a letter: its row stays undone, for the reason that the note gives.
    /// [`ImportError::Dismissed`] where somebody was faster.
    pub async fn dismiss(&self, who: &Principal, key: LetterKey, note: &str) -> Result<(), ImportError> {
        who.require(Permission::RunFeeds)?;
        let input = (who.clone(), key, checked(note)?, self.clock.now());
        let dismiss = self
            .repo
            .write_with(input, |tx, (who, key, note, now)| dismiss(tx, who, *key, note, *now).boxed());
        dismiss.await
    }

    /// Closes all open letters of a query, whatever its page, [`BATCH`](Self::BATCH) a transaction and audit row; those
    /// that somebody else has closed meanwhile stay theirs. Answers how many. Stopped halfway, the rest stays open.
    pub async fn dismiss_all(
        &self,
        who: &Principal,
        query: &ImportLetterQuery,
        note: &str,
    ) -> Result<u64, ImportError> {
        who.require(Permission::RunFeeds)?;
        let note = checked(note)?;
        let mut query = ImportLetterQuery { limit: Self::BATCH, ..query.clone() };
        let (mut after, mut dismissed) = ((0, 0), 0);
        if query.is_vain() || std::mem::take(&mut query.dismissed) {
            return Ok(0);
        }
        loop {
            let input = (who.clone(), query.clone(), after, note.clone(), self.clock.now());
            let batch = self.repo.write_with(input, |tx, (who, query, after, note, now)| {
                async move { Ok::<_, ImportError>(batch(tx, who, query, *after, note, *now).await?) }.boxed()
            });
            let Some((last, closed)) = batch.await? else { return Ok(dismissed) };
            (after, dismissed) = (last, dismissed + closed);
        }
    }
}

/// A note as it is kept.
fn checked(note: &str) -> Result<String, FieldErrors> {
    let note = note.trim();
    let mut input = Changeset::new(json!({}));
    input.length("note", Some(note), 1..=Imports::MOST_NOTE);
    input.check("note", !note.contains('\0'), "format", "must not hold a NUL character");
    input.finish(note.to_owned()).map(|valid| valid.value)
}

fn stored(row: u64) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}

/// The conditions of a query without its page, their parameters from $1 on.
fn wheres(query: &ImportLetterQuery) -> (Vec<String>, Vec<sea_orm::Value>) {
    let mut wheres = vec![format!("l.closed_at IS {}NULL", if query.dismissed { "NOT " } else { "" })];
    let mut values = Vec::new();
    if let Some(reason) = &query.reason {
        values.push(reason.as_str().into());
        wheres.push("l.reason = $1".to_owned());
    }
    (wheres, values)
}

async fn page(
    db: &impl ConnectionTrait,
    query: &ImportLetterQuery,
    after: Option<(i64, i64)>,
    fetch: u64,
) -> Result<Vec<ImportLetter>, DbError> {
    let (mut wheres, mut values) = wheres(query);
    if let Some((file, row)) = after {
        let first = values.len() + 1;
        wheres.push(format!("(l.file_id, l.row_no) > (${first}, ${})", first + 1));
        values.extend([file.into(), row.into()]);
    }
    values.push(stored(fetch).into());
    let sql = format!(
        "SELECT l.file_id, l.row_no, l.reason, l.payload, l.closed_by, l.closed_at, l.note, f.name \
         FROM dead_letters l JOIN import_files f ON f.id = l.file_id WHERE {} \
         ORDER BY l.file_id, l.row_no LIMIT ${}",
        wheres.join(" AND "),
        values.len()
    );
    db.rows(&sql, values).await?.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<ImportLetter, DbError> {
    let by: Option<String> = row.try_get_by_index(4)?;
    let (at, note): (Option<i64>, Option<String>) = (row.try_get_by_index(5)?, row.try_get_by_index(6)?);
    let closed = match (by, at, note) {
        (Some(by), Some(at), Some(note)) => Some(Closed { by, at: Timestamp(at), note }),
        _ => None,
    };
    let key = LetterKey { file: row.try_get_by_index(0)?, row: count(row, 1)? };
    let letter =
        DeadLetter { row: key.row, reason: row.try_get_by_index(2)?, payload: row.try_get_by_index(3)? };
    Ok(ImportLetter { key, name: row.try_get_by_index(7)?, letter, closed })
}

async fn open(db: &impl ConnectionTrait) -> Result<Vec<(String, u64)>, DbError> {
    let sql =
        "SELECT reason, COUNT(*) FROM dead_letters WHERE closed_at IS NULL GROUP BY reason ORDER BY reason";
    let rows = db.rows(sql, vec![]).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, count(row, 1)?))).collect()
}

async fn dismiss(
    tx: &impl ConnectionTrait,
    who: &Principal,
    key: LetterKey,
    note: &str,
    now: Timestamp,
) -> Result<(), ImportError> {
    let sql = "UPDATE dead_letters SET closed_by = $3, closed_at = $4, note = $5 \
               WHERE file_id = $1 AND row_no = $2 AND closed_at IS NULL";
    let (file, row) = (key.file, stored(key.row));
    let values = vec![file.into(), row.into(), who.to_string().into(), now.0.into(), note.into()];
    let closed = tx.exec(sql, values).await? == 1;
    let sql = "SELECT reason, closed_by FROM dead_letters WHERE file_id = $1 AND row_no = $2";
    let found = tx.row(sql, vec![file.into(), row.into()]).await?.ok_or(ImportError::NoLetter(key))?;
    if !closed {
        let by = found.try_get_by_index(1).map_err(DbError::from)?;
        return Err(ImportError::Dismissed { key, by });
    }
    let reason: String = found.try_get_by_index(0).map_err(DbError::from)?;
    let details = json!({ "row": key.row, "reason": reason, "note": note });
    Ok(audit::record(tx, who, "import.letter.dismiss", &format!("import:{file}"), details).await?)
}

/// Closes the first open letters after a key. Answers the last of them and how many; nothing where there are none.
async fn batch(
    tx: &impl ConnectionTrait,
    who: &Principal,
    query: &ImportLetterQuery,
    after: (i64, i64),
    note: &str,
    now: Timestamp,
) -> Result<Option<((i64, i64), u64)>, DbError> {
    let found = page(tx, query, Some(after), u64::from(query.limit)).await?;
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(None) };
    let (first, last) = (first.key, last.key);
    let (mut wheres, mut values) = wheres(query);
    let from = values.len() + 1;
    wheres.push(format!("(l.file_id, l.row_no) >= (${from}, ${})", from + 1));
    wheres.push(format!("(l.file_id, l.row_no) <= (${}, ${})", from + 2, from + 3));
    values.extend([first.file.into(), stored(first.row).into(), last.file.into(), stored(last.row).into()]);
    values.extend([who.to_string().into(), now.0.into(), note.into()]);
    let sql = format!(
        "UPDATE dead_letters AS l SET closed_by = ${}, closed_at = ${}, note = ${} WHERE {}",
        from + 4,
        from + 5,
        from + 6,
        wheres.join(" AND ")
    );
    let closed = tx.exec(&sql, values).await?;
    if closed > 0 {
        let place = |key: LetterKey| json!([key.file, key.row]);
        let details = json!({
            "letters": closed, "reason": query.reason, "from": place(first), "to": place(last), "note": note,
        });
        audit::record(tx, who, "import.letter.dismiss", "imports", details).await?;
    }
    Ok(Some(((last.file, stored(last.row)), closed)))
}
