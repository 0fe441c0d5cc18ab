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

/// What is to change of an account; what is `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// What it is trusted with.
    pub role: Option<Role>,
    /// Whether it may sign in.
    pub status: Option<UserStatus>,
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

    /// Changes an account: its role from its next request on, a lock at once (its sessions end, its tokens rest). All
    /// of it or nothing; each part has its audit row.
    pub async fn change(&self, who: &Principal, id: UserId, change: Change) -> Result<User, AccountError> {
        who.require(Permission::ManageAccounts)?;
        self.repo
            .write_with((who.clone(), id, change), |tx, (who, id, change)| {
                async move {
                    let before = held(tx, *id).await?;
                    let after = User {
                        role: change.role.unwrap_or(before.role),
                        status: change.status.unwrap_or(before.status),
                        ..before.clone()
                    };
                    if runs_the_system(&before) && !runs_the_system(&after) {
                        another_admin(tx, *id).await?;
                    }
                    let values = vec![id.0.into(), after.role.name().into(), after.status.name().into()];
                    tx.exec("UPDATE users SET role = $2, status = $3 WHERE id = $1", values).await?;
                    let subject = format!("user:{id}");
                    if change.role.is_some() {
                        let details = json!({ "from": before.role, "to": after.role });
                        audit::record(tx, who, "account.set_role", &subject, details).await?;
                    }
                    if change.status.is_some() {
                        if after.status == UserStatus::Locked {
                            session::revoke_all(tx, *id).await?;
                        }
                        let details = json!({ "from": before.status, "to": after.status });
                        audit::record(tx, who, "account.set_status", &subject, details).await?;
                    }
                    Ok(after)
                }
                .boxed()
            })
            .await
    }

    /// Trusts an account with another role: a [`change`](Self::change).
    pub async fn set_role(&self, who: &Principal, id: UserId, role: Role) -> Result<User, AccountError> {
        self.change(who, id, Change { role: Some(role), status: None }).await
    }

    /// Locks an account or unlocks it: a [`change`](Self::change).
    pub async fn set_status(
        &self,
        who: &Principal,
        id: UserId,
        status: UserStatus,
    ) -> Result<User, AccountError> {
        self.change(who, id, Change { role: None, status: Some(status) }).await
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

const fn runs_the_system(user: &User) -> bool {
    matches!((user.role, user.status), (Role::Admin, UserStatus::Active))
}

/// Refuses to take the last active admin away.
async fn another_admin(tx: &Tx, than: UserId) -> Result<(), AccountError> {
    const SQL: &str = "SELECT id FROM users WHERE role = 'admin' AND status = 'active' AND id <> $1 LIMIT 1";
    let other = tx.row(SQL, vec![than.0.into()]).await?;
    other.map(drop).ok_or(AccountError::LastAdmin)
}

impl From<sea_orm::DbErr> for AccountError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Db(DbError::from(error))
    }
}
