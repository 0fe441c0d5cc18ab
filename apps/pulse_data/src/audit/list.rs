//! Reading the trail, newest first, a page at a time.
//!
//! **Invariant.** A page begins right below the last one's end (a *keyset* page), so rows that are written meanwhile
//! shift nothing; it is bounded.

use pulse_core::{Permission, Principal, Timestamp};
use sea_orm::Value;

use super::AuditError;
use crate::{DbError, Repo, Sql as _};

/// Which rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Only of this subject (`order:7`).
    pub subject: Option<String>,
    /// Only by this principal (`user:7`, `system:payments`).
    pub who: Option<String>,
    /// Only this action (`order.place`).
    pub action: Option<String>,
    /// Only rows older than the one of this id: the last id of the page before.
    pub before: Option<i64>,
    /// Rows a page, 1 to 200; 0 means 50.
    pub limit: u32,
}

/// One row of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number, by insertion.
    pub id: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else is worth knowing, as JSON text.
    pub details: String,
    /// Its place in the chain, once it is sealed.
    pub seal_no: Option<i64>,
}

/// A page of the trail, newest first. Needs [`Permission::ReadAudit`].
pub async fn list(repo: &Repo, who: &Principal, query: &AuditQuery) -> Result<Vec<AuditRow>, AuditError> {
    who.require(Permission::ReadAudit)?;
    let mut sql =
        "SELECT id, at, who, action, subject, details, seal_no FROM audit_log WHERE id < $1".to_owned();
    let mut values: Vec<Value> = vec![query.before.unwrap_or(i64::MAX).into()];
    for (column, wanted) in [("subject", &query.subject), ("who", &query.who), ("action", &query.action)] {
        if let Some(wanted) = wanted {
            values.push(wanted.as_str().into());
            sql = format!("{sql} AND {column} = ${}", values.len());
        }
    }
    let limit = if query.limit == 0 { 50 } else { query.limit.min(200) };
    sql = format!("{sql} ORDER BY id DESC LIMIT {limit}");
    let rows = repo.reader().rows(&sql, values).await?;
    let read = |row: &sea_orm::QueryResult| -> Result<AuditRow, sea_orm::DbErr> {
        Ok(AuditRow {
            id: row.try_get("", "id")?,
            at: Timestamp(row.try_get("", "at")?),
            who: row.try_get("", "who")?,
            action: row.try_get("", "action")?,
            subject: row.try_get("", "subject")?,
            details: row.try_get("", "details")?,
            seal_no: row.try_get("", "seal_no")?,
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>().map_err(DbError::from)?)
}
