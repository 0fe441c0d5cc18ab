//! Who of the shop's people gets its letters.
//!
//! **Invariant.** Locked accounts get none; the list is bounded.

use pulse_core::{Role, UserId};
use sea_orm::ConnectionTrait;

use crate::{DbError, Sql as _};

/// People that are written to at most.
const MOST: u32 = 50;

/// The active accounts that are trusted with at least this role, with their addresses.
pub(crate) async fn staff(db: &impl ConnectionTrait, least: Role) -> Result<Vec<(UserId, String)>, DbError> {
    // Names of our own enum: nothing in them can be SQL.
    let roles: Vec<String> =
        Role::ALL.iter().filter(|role| **role >= least).map(|role| format!("'{role}'")).collect();
    let sql = format!(
        "SELECT id, email FROM users WHERE role IN ({}) AND status = 'active' AND email IS NOT NULL \
         ORDER BY id LIMIT {MOST}",
        roles.join(", ")
    );
    let rows = db.rows(&sql, vec![]).await?;
    rows.iter().map(|row| Ok((UserId(row.try_get_by_index(0)?), row.try_get_by_index(1)?))).collect()
}
