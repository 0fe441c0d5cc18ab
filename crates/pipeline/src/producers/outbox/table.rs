//! The producer's statements.
//!
//! **Invariant.** An entry is ended, put off or renewed only by the node that has it: whoever lost its lease changes
//! nothing. Every statement touches a bounded number of rows.

use sea_orm::{DbBackend, DbErr, QueryResult, Statement, Value};

use super::entry::Entry;
use super::store::Store;

/// Takes up to `limit` entries with numbers above `above` that are due, lowest first, and counts their attempt.
///
/// On PostgreSQL rows that another node is taking right now are skipped, not waited for. `MATERIALIZED` pins the choice:
/// a plain subquery may be evaluated again and would lock more than it returns.
pub(super) async fn take(
    store: &dyn Store,
    topic: &str,
    node: &str,
    above: i64,
    limit: usize,
    now: i64,
    lease_until: i64,
) -> Result<Vec<Entry>, DbErr> {
    const PICK: &str = "SELECT id FROM outbox WHERE topic = $1 AND ended_at IS NULL AND due_at <= $2 AND id > $3 \
                        ORDER BY id LIMIT $4";
    const SET: &str = "SET due_at = $5, node = $6, attempt = attempt + 1";
    const BACK: &str =
        "RETURNING outbox.id, outbox.entry_key, outbox.payload, outbox.attempt, outbox.created_at";
    let sql = match store.backend() {
        DbBackend::Postgres => format!(
            "WITH picked AS MATERIALIZED ({PICK} FOR UPDATE SKIP LOCKED) \
             UPDATE outbox {SET} FROM picked WHERE outbox.id = picked.id {BACK}"
        ),
        _ => format!("UPDATE outbox {SET} WHERE id IN ({PICK}) {BACK}"),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 6] =
        [topic.into(), now.into(), above.into(), limit.into(), lease_until.into(), node.into()];
    let rows = store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?;
    let mut entries: Vec<Entry> = rows.iter().map(read).collect::<Result<_, DbErr>>()?;
    // RETURNING promises no order.
    entries.sort_unstable_by_key(|entry| entry.id);
    Ok(entries)
}

pub(super) fn read(row: &QueryResult) -> Result<Entry, DbErr> {
    Ok(Entry {
        id: row.try_get_by_index(0)?,
        key: row.try_get_by_index(1)?,
        payload: row.try_get_by_index(2)?,
        attempt: u32::try_from(row.try_get_by_index::<i32>(3)?).unwrap_or(0),
        created_at: row.try_get_by_index(4)?,
    })
}

/// The numbers in a JSON list that is the first parameter.
pub(super) fn listed(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "SELECT value::bigint FROM json_array_elements_text($1::json)",
        _ => "SELECT value FROM json_each($1)",
    }
}

/// Ends entries well; answers how many were still this node's.
pub(super) async fn done(
    store: &dyn Store,
    node: &str,
    ids: &[i64],
    keep_at: Option<i64>,
) -> Result<usize, DbErr> {
    let listed = listed(store.backend());
    let (sql, mut values): (String, Vec<Value>) = (
        match keep_at {
            None => format!("DELETE FROM outbox WHERE id IN ({listed}) AND node = $2 RETURNING id"),
            Some(_) => format!(
                "UPDATE outbox SET ended_at = $3, reason = NULL, node = NULL WHERE id IN ({listed}) AND node = $2 RETURNING id"
            ),
        },
        vec![json(ids)?, node.into()],
    );
    values.extend(keep_at.map(Value::from));
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

/// What becomes of an entry that failed.
#[derive(Debug, serde::Serialize)]
pub(super) struct Failed {
    pub(super) id: i64,
    /// When it is due again; `None`: never, it is dead.
    pub(super) due: Option<i64>,
    pub(super) reason: String,
}

/// Puts failed entries off, or ends them; answers how many were still this node's.
pub(super) async fn failed(
    store: &dyn Store,
    node: &str,
    failed: &[Failed],
    now: i64,
) -> Result<usize, DbErr> {
    let source = match store.backend() {
        DbBackend::Postgres => "json_to_recordset($1::json) AS f(id bigint, due bigint, reason text)",
        _ => {
            "(SELECT value->>'id' AS id, value->>'due' AS due, value->>'reason' AS reason \
             FROM json_each($1)) AS f"
        }
    };
    let sql = format!(
        "UPDATE outbox SET due_at = COALESCE(f.due, outbox.due_at), reason = f.reason, node = NULL, \
         ended_at = CASE WHEN f.due IS NULL THEN CAST($3 AS BIGINT) END \
         FROM {source} WHERE outbox.id = f.id AND outbox.node = $2 RETURNING outbox.id"
    );
    let values: [Value; 3] = [json(failed)?, node.into(), now.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

/// Keeps entries for this node until `until`; answers those that it still had.
pub(super) async fn renew(store: &dyn Store, node: &str, ids: &[i64], until: i64) -> Result<usize, DbErr> {
    let listed = listed(store.backend());
    let sql = format!("UPDATE outbox SET due_at = $3 WHERE id IN ({listed}) AND node = $2 RETURNING id");
    let values: [Value; 3] = [json(ids)?, node.into(), until.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

/// Gives back what this node has taken, but for `held`: due at once, the attempt not counted.
pub(super) async fn give_back(
    store: &dyn Store,
    topic: &str,
    node: &str,
    held: &[i64],
    now: i64,
) -> Result<usize, DbErr> {
    let listed = listed(store.backend());
    let sql = format!(
        "UPDATE outbox SET due_at = $4, node = NULL, attempt = attempt - 1 \
         WHERE topic = $3 AND ended_at IS NULL AND node = $2 AND id NOT IN ({listed}) RETURNING id"
    );
    let values: [Value; 4] = [json(held)?, node.into(), topic.into(), now.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

pub(super) fn json<T: serde::Serialize + ?Sized>(what: &T) -> Result<Value, DbErr> {
    serde_json::to_string(what).map(Value::from).map_err(|error| DbErr::Json(error.to_string()))
}
