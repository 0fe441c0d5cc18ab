//! What an account is, and how one comes to be.
//!
//! **Invariant.** An address names one account, whatever the case it is written in. Anybody may register a buyer; a role
//! with more trust needs [`Permission::ManageAccounts`].

use futures::FutureExt as _;
use pulse_core::{Permission, Principal, Role, Timestamp, UserId};
use sea_orm::{ConnectionTrait, QueryResult};
use serde::Serialize;
use serde_json::json;

use super::{AccountError, Accounts, Email, password};
use crate::changeset::FieldErrors;
use crate::{DbError, Sql as _, audit};

/// Whether an account may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UserStatus {
    /// It may.
    Active,
    /// It may not; its orders stay.
    Locked,
}

impl UserStatus {
    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Locked => "locked",
        }
    }

    /// The status of a stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Locked].into_iter().find(|status| status.name() == name)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub id: UserId,
    /// Its address; `None` for buyers that came with a replay.
    pub email: Option<String>,
    /// The buyer's number in another shop's books.
    pub external_ref: Option<String>,
    /// Where it buys from, if known.
    pub country: Option<String>,
    /// What it is trusted with.
    pub role: Role,
    /// Whether it may sign in.
    pub status: UserStatus,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Somebody who wants an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// The address, as typed.
    pub email: String,
    /// The password, as typed.
    pub password: String,
    /// What it is to be trusted with.
    pub role: Role,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("email", &self.email)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

pub(super) const COLUMNS: &str = "id, email, external_ref, country, role, status, created_at";

pub(super) fn read(row: &QueryResult) -> Result<User, DbError> {
    let (role, status): (String, String) = (row.try_get("", "role")?, row.try_get("", "status")?);
    Ok(User {
        id: UserId(row.try_get("", "id")?),
        email: row.try_get("", "email")?,
        external_ref: row.try_get("", "external_ref")?,
        country: row.try_get("", "country")?,
        role: read_role(&role)?,
        status: read_status(&status)?,
        created_at: Timestamp(row.try_get("", "created_at")?),
    })
}

pub(super) fn read_role(name: &str) -> Result<Role, DbError> {
    name.parse().map_err(|error| DbError::Corrupt(format!("an account's role: {error}")))
}

pub(super) fn read_status(name: &str) -> Result<UserStatus, DbError> {
    UserStatus::from_name(name).ok_or_else(|| DbError::Corrupt(format!("an account's status is {name:?}")))
}

pub(super) async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM users WHERE id = $1");
    db.row(&sql, vec![id.0.into()]).await?.as_ref().map(read).transpose()
}

impl Accounts {
    /// Makes an account. Anybody may make a buyer; other roles need [`Permission::ManageAccounts`].
    pub async fn register(&self, who: &Principal, wanted: Registration) -> Result<User, AccountError> {
        if wanted.role != Role::Buyer {
            who.require(Permission::ManageAccounts)?;
        }
        let mut errors = Vec::new();
        let email: Option<Email> = match wanted.email.parse() {
            Ok(email) => Some(email),
            Err(error) => {
                errors.extend(FieldErrors::one("email", "format", ToString::to_string(&error)).0);
                None
            }
        };
        if let Err(error) = password::acceptable("password", &wanted.password) {
            errors.extend(error.0);
        }
        let Some(email) = email.filter(|_| errors.is_empty()) else { return Err(FieldErrors(errors).into()) };
        let hash = self.hasher.hash(&wanted.password).await?;
        let input = (who.clone(), email, wanted.role, hash, self.clock.now());
        self.repo
            .write_with(input, |tx, (who, email, role, hash, now)| {
                async move {
                    let sql = format!(
                        "INSERT INTO users (email, role, status, password_hash, created_at) \
                         VALUES ($1, $2, 'active', $3, $4) ON CONFLICT (email) DO NOTHING RETURNING {COLUMNS}"
                    );
                    let values =
                        vec![email.as_str().into(), role.name().into(), hash.as_str().into(), now.0.into()];
                    let Some(row) = tx.row(&sql, values).await? else {
                        let taken = FieldErrors::one("email", "taken", "there is an account of this address");
                        return Err(taken.into());
                    };
                    let user = read(&row)?;
                    let subject = format!("user:{}", user.id);
                    audit::record(tx, who, "account.register", &subject, json!({ "role": role })).await?;
                    Ok(user)
                }
                .boxed()
            })
            .await
    }

    /// Makes an account on the machine itself: how the first admin comes to be (`pulse user add`).
    pub async fn bootstrap(&self, email: &str, password: &str, role: Role) -> Result<User, AccountError> {
        let wanted = Registration { email: email.to_owned(), password: password.to_owned(), role };
        self.register(&Principal::System("cli"), wanted).await
    }

    /// One account: one's own, or with [`Permission::ManageAccounts`] any.
    pub async fn get(&self, who: &Principal, id: UserId) -> Result<User, AccountError> {
        own_or_manage(who, id)?;
        find(self.repo.reader(), id).await?.ok_or(AccountError::NotFound(id))
    }
}

/// Everybody may do to their own account what otherwise needs the permission.
pub(super) fn own_or_manage(who: &Principal, id: UserId) -> Result<(), AccountError> {
    if who.user() != Some(id) {
        who.require(Permission::ManageAccounts)?;
    }
    Ok(())
}
