//! Writing outcomes down, many with one statement.
//!
//! **Invariant.** Only under the fence: a row that was given to somebody else, cancelled or rescued meanwhile stays as
//! it is.

use sea_orm::{DbBackend, DbErr, Statement, Value};

use super::append;
use crate::settle::Ack;
use crate::store::Store;

/// Writes outcomes down; answers how many of them were still this node's to write.
pub(crate) async fn acknowledge(store: &dyn Store, node: &str, acks: &[Ack]) -> Result<usize, DbErr> {
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
         WHERE jobs.id = a.id AND jobs.attempt = a.attempt AND jobs.node = $2 AND jobs.state = 'executing' \
         RETURNING jobs.id",
        append = append("a.error")
    );
    let acks = serde_json::to_string(acks).map_err(|error| DbErr::Json(error.to_string()))?;
    let values: [Value; 2] = [acks.into(), node.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}
