//! Running the accounts: roles, locks, the list.
//!
//! **Invariant.** Needs [`Permission::ManageAccounts`]; there is always an active admin; each change has its audit row.

use futures::FutureExt as _;
use pulse_core::{Permission, Principal, Role, UserId};
use sea_orm::Value;
use serde_json::json;

use super::user::{COLUMNS, find, read};
use super::{AccountError, Accounts, User, UserStatus, session};
use crate::page::{Cursor, Page};
use crate::{Backend, DbError, Sql as _, Tx, audit};

/// Which accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserQuery {
    /// A part of the address, in any case.
    pub search: Option<String>,
    /// Only of this role.
    pub role: Option<Role>,
    /// Where the last page ended.
    pub after: Option<Cursor>,
    /// Rows a page, 1 to 200.
    pub limit: u32,
}

impl Accounts {
    /// A page of accounts, in the order of their numbers.
    pub async fn list(&self, who: &Principal, query: &UserQuery) -> Result<Page<User>, AccountError> {
        who.require(Permission::ManageAccounts)?;
        let after: i64 = query.after.as_ref().map_or(Ok(0), Cursor::key)?;
        let mut sql = format!("SELECT {COLUMNS} FROM users WHERE id > $1");
        let mut values: Vec<Value> = vec![after.into()];
        if let Some(role) = query.role {
            values.push(role.name().into());
            sql = format!("{sql} AND role = ${}", values.len());
        }
        if let Some(part) = &query.search {
            // No pattern, so no wildcards to mind. Addresses are stored in lower case.
            values.push(part.trim().to_lowercase().into());
            let found = match self.repo.backend() {
                Backend::Sqlite => "instr(email,",
                Backend::Postgres => "strpos(email,",
            };
            sql = format!("{sql} AND {found} ${}) > 0", values.len());
        }
        sql = format!("{sql} ORDER BY id LIMIT {}", Page::<User>::fetch(query.limit));
        let rows = self.repo.reader().rows(&sql, values).await?;
        let users = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(users, query.limit, |user| user.id.0))
    }

    /// Trusts an account with another role, from its next request on.
    pub async fn set_role(&self, who: &Principal, id: UserId, role: Role) -> Result<User, AccountError> {
        who.require(Permission::ManageAccounts)?;
        self.repo
            .write_with((who.clone(), id, role), |tx, (who, id, role)| {
                async move {
                    let before = held(tx, *id).await?;
                    if before.role == Role::Admin && *role != Role::Admin {
                        another_admin(tx, &before).await?;
                    }
                    let values = vec![id.0.into(), role.name().into()];
                    tx.exec("UPDATE users SET role = $2 WHERE id = $1", values).await?;
                    let details = json!({ "from": before.role, "to": role });
                    audit::record(tx, who, "account.set_role", &format!("user:{id}"), details).await?;
                    Ok(User { role: *role, ..before })
                }
                .boxed()
            })
            .await
    }

    /// Locks an account (its sessions end, its tokens rest) or unlocks it.
    pub async fn set_status(
        &self,
        who: &Principal,
        id: UserId,
        status: UserStatus,
    ) -> Result<User, AccountError> {
        who.require(Permission::ManageAccounts)?;
        self.repo
            .write_with((who.clone(), id, status), |tx, (who, id, status)| {
                async move {
                    let before = held(tx, *id).await?;
                    if *status == UserStatus::Locked {
                        another_admin(tx, &before).await?;
                        session::revoke_all(tx, *id).await?;
                    }
                    let values = vec![id.0.into(), status.name().into()];
                    tx.exec("UPDATE users SET status = $2 WHERE id = $1", values).await?;
                    let details = json!({ "from": before.status, "to": status });
                    audit::record(tx, who, "account.set_status", &format!("user:{id}"), details).await?;
                    Ok(User { status: *status, ..before })
                }
                .boxed()
            })
            .await
    }
}

/// The account, and on PostgreSQL a lock on all admins: two of them can't unseat each other at once.
async fn held(tx: &Tx, id: UserId) -> Result<User, AccountError> {
    if tx.backend() == Backend::Postgres {
        tx.rows(
            "SELECT id FROM users WHERE role = 'admin' OR id = $1 ORDER BY id FOR UPDATE",
            vec![id.0.into()],
        )
        .await?;
    }
    find(tx, id).await?.ok_or(AccountError::NotFound(id))
}

/// Refuses to take the last active admin away.
async fn another_admin(tx: &Tx, user: &User) -> Result<(), AccountError> {
    const SQL: &str = "SELECT id FROM users WHERE role = 'admin' AND status = 'active' AND id <> $1 LIMIT 1";
    if user.role != Role::Admin || user.status != UserStatus::Active {
        return Ok(());
    }
    let other = tx.row(SQL, vec![user.id.0.into()]).await?;
    other.map(drop).ok_or(AccountError::LastAdmin)
}

impl From<sea_orm::DbErr> for AccountError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Db(DbError::from(error))
    }
}
