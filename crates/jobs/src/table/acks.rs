//! Writing outcomes down, many with one statement.
//!
//! **Invariant.** Only under the fence: a row that was given to somebody else, cancelled or rescued meanwhile stays as
//! it is.

use sea_orm::{DbBackend, DbErr, Statement, Value};

use super::{EXECUTING, append};
use crate::settle::Ack;
use crate::store::Store;

/// Writes outcomes down; answers how many of them were still this node's to write.
///
/// Jobs that are simply done, nearly all of them, go by a statement of their own that carries no more than their fences; they
/// end at the instant of the youngest. If the second statement fails, the first is written: said again, it changes nothing.
pub(crate) async fn acknowledge(store: &dyn Store, node: &str, acks: &[Ack]) -> Result<usize, DbErr> {
    let (done, others): (Vec<&Ack>, Vec<&Ack>) = acks.iter().partition(|ack| ack.is_plain());
    let mut written = 0;
    if let Some(now) = done.iter().filter_map(|ack| ack.ended).max() {
        written += complete(store, node, &done, now).await?;
    }
    if !others.is_empty() {
        written += settle(store, node, &others).await?;
    }
    Ok(written)
}

async fn complete(store: &dyn Store, node: &str, done: &[&Ack], now: i64) -> Result<usize, DbErr> {
    // An object whose keys are the numbers and whose values the attempts: read without parsing each by itself.
    let source = match store.backend() {
        DbBackend::Postgres => {
            "(SELECT key::bigint AS id, value::int AS attempt FROM json_each_text($1::json)) AS a"
        }
        _ => "(SELECT CAST(key AS INTEGER) AS id, value AS attempt FROM json_each($1)) AS a",
    };
    let sql = format!(
        "UPDATE jobs SET state = 'completed', completed_at = $3, lease_until = NULL FROM {source} \
         WHERE jobs.id = a.id AND jobs.attempt = a.attempt AND jobs.node = $2 AND {EXECUTING} RETURNING 1"
    );
    let fences: Vec<String> = done.iter().map(|ack| format!("\"{}\":{}", ack.id, ack.attempt)).collect();
    let values: [Value; 3] = [format!("{{{}}}", fences.join(",")).into(), node.into(), now.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

async fn settle(store: &dyn Store, node: &str, acks: &[&Ack]) -> Result<usize, DbErr> {
    let source = match store.backend() {
        DbBackend::Postgres => {
            "json_to_recordset($1::json) AS a(id bigint, attempt int, state text, at bigint, ended bigint, \
             extra int, error text)"
        }
        _ => {
            "(SELECT value->>'id' AS id, value->>'attempt' AS attempt, value->>'state' AS state, \
             value->>'at' AS at, value->>'ended' AS ended, value->>'extra' AS extra, \
             value->>'error' AS error FROM json_each($1)) AS a"
        }
    };
    let sql = format!(
        "UPDATE jobs SET state = a.state, scheduled_at = COALESCE(a.at, scheduled_at), completed_at = a.ended, \
         max_attempts = max_attempts + a.extra, lease_until = NULL, \
         errors = CASE WHEN a.error IS NULL THEN errors ELSE {append} END FROM {source} \
         WHERE jobs.id = a.id AND jobs.attempt = a.attempt AND jobs.node = $2 AND {EXECUTING} \
         RETURNING jobs.id",
        append = append("a.error")
    );
    let acks = serde_json::to_string(acks).map_err(|error| DbErr::Json(error.to_string()))?;
    let values: [Value; 2] = [acks.into(), node.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}
