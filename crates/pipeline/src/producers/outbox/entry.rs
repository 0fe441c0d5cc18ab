//! What is in the table, and how it gets in.
//!
//! **Invariant.** `put` is one INSERT on the caller's connection: entries are there with the caller's data or not at all,
//! numbered in the order in which they were given.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use super::store::Store;

/// An entry to be put in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewEntry {
    /// What its handler orders or deduplicates by, if it does.
    pub key: Option<String>,
    /// What it says; mostly JSON.
    pub payload: String,
}

impl NewEntry {
    /// An entry without a key.
    pub fn new(payload: impl Into<String>) -> Self {
        Self { key: None, payload: payload.into() }
    }

    /// The same with a key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// An entry that this node has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number: the same at each attempt, so an effect can be keyed by it.
    pub id: i64,
    /// Its key.
    pub key: Option<String>,
    /// What it says.
    pub payload: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// When it was put in, in milliseconds since 1970.
    pub created_at: i64,
}

/// Entries were not put in; none of them was.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// PostgreSQL's text can't hold it, so neither database shall.
    #[error("entry {place} of {topic} holds a NUL character; encode it, base64 for one")]
    Nul {
        /// The topic.
        topic: String,
        /// Which of the entries, from 0.
        place: usize,
    },
    /// The database refused.
    #[error("entries of {topic} can't be stored: {source}")]
    Store {
        /// The topic.
        topic: String,
        /// What the database said.
        source: DbErr,
    },
}

/// Puts entries in by one statement, on the caller's connection or transaction; answers how many. Wake the producer
/// after the commit ([`Wake`](super::Wake)).
pub async fn put<C: ConnectionTrait>(conn: &C, topic: &str, entries: &[NewEntry]) -> Result<u64, PutError> {
    if entries.is_empty() {
        return Ok(0);
    }
    check(topic, entries)?;
    let failed = |source| PutError::Store { topic: topic.to_owned(), source };
    let statement = insert(conn.get_database_backend(), topic, entries).map_err(failed)?;
    Ok(conn.execute_raw(statement).await.map_err(failed)?.rows_affected())
}

/// As [`put`], through a [`Store`]: a commit of its own.
pub async fn put_in(store: &dyn Store, topic: &str, entries: &[NewEntry]) -> Result<(), PutError> {
    if entries.is_empty() {
        return Ok(());
    }
    check(topic, entries)?;
    let failed = |source| PutError::Store { topic: topic.to_owned(), source };
    let statement = insert(store.backend(), topic, entries).map_err(failed)?;
    store.run(statement).await.map(drop).map_err(failed)
}

fn check(topic: &str, entries: &[NewEntry]) -> Result<(), PutError> {
    let nul =
        |entry: &NewEntry| entry.payload.contains('\0') || entry.key.as_deref().unwrap_or("").contains('\0');
    match entries.iter().position(nul) {
        Some(place) => Err(PutError::Nul { topic: topic.to_owned(), place }),
        None => Ok(()),
    }
}

/// One parameter carries all entries: the statement's text is always the same, so it is prepared once.
fn insert(backend: DbBackend, topic: &str, entries: &[NewEntry]) -> Result<Statement, DbErr> {
    const INTO: &str = "INSERT INTO outbox (topic, entry_key, payload, created_at, due_at)";
    let sql = match backend {
        DbBackend::Postgres => format!(
            "{INTO} SELECT $2, e.value->>'key', e.value->>'payload', $3, $3 \
             FROM json_array_elements($1::json) WITH ORDINALITY AS e(value, place) ORDER BY e.place"
        ),
        _ => format!(
            "{INTO} SELECT $2, e.value->>'key', e.value->>'payload', $3, $3 FROM json_each($1) AS e ORDER BY e.key"
        ),
    };
    let entries = serde_json::to_string(entries).map_err(|error| DbErr::Json(error.to_string()))?;
    let values: [Value; 3] = [entries.into(), topic.into(), super::system_now().into()];
    Ok(Statement::from_sql_and_values(backend, sql, values))
}
