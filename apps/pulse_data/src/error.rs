//! What a database said, in the same words for SQLite and PostgreSQL.
//!
//! **Invariant.** The kind is taken from the driver's error inside SeaORM's (whose own `sql_err` misses CHECK and
//! NOT NULL), so both databases map to the same variant; and a message says what to do where that is known.

mod classify;

use std::fmt;

use pulse_core::ports::StoreError;
use sea_orm::DbErr;

/// The constraint that a statement violated.
///
/// PostgreSQL names every constraint. SQLite names the columns for UNIQUE and PRIMARY KEY (the name is derived
/// from them by the schema's convention: `uq_<table>_<columns>`, `pk_<table>`), the constraint for CHECK, and
/// nothing for a foreign key. So compare with [`is`](Self::is).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constraint {
    /// The constraint's name; empty for a foreign key on SQLite.
    pub name: String,
    /// The table; empty where the database does not say.
    pub table: String,
    /// The columns; empty where the database does not say.
    pub columns: Vec<String>,
}

impl Constraint {
    /// Whether this is the constraint of that name, as far as the database told.
    pub fn is(&self, name: &str) -> bool {
        if self.name == name {
            return true;
        }
        if self.name.is_empty() {
            return name.starts_with("fk_");
        }
        let columns = self.columns.join("_");
        !columns.is_empty()
            && ["uq", "pk", "ix"].iter().any(|kind| name == format!("{kind}_{}_{columns}", self.table))
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.name.is_empty() { "(not named by SQLite)" } else { &self.name })
    }
}

/// Why a statement or a transaction did not do its part.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// Such a row exists already.
    #[error("there is such a row already: unique constraint {0}")]
    Unique(Constraint),
    /// A value is outside what the schema allows.
    #[error("a value is not allowed: check constraint {0}")]
    Check(Constraint),
    /// A row refers to one that is not there, or is referred to.
    #[error("a reference does not hold: foreign key {0}")]
    ForeignKey(Constraint),
    /// A value is missing.
    #[error("{table}.{column} must have a value")]
    NotNull {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Concurrent transactions were in each other's way more often than a write is tried again.
    #[error("too many concurrent changes of the same rows: {0}")]
    Conflict(String),
    /// More is waiting than is taken on.
    #[error("the database has more to do than it takes on: try again in a moment")]
    Overloaded,
    /// It can't be reached, or refuses to work; what to do stands in the text. After a write the outcome is
    /// unknown: look, or repeat it under its idempotency key.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// What it holds can't be understood.
    #[error("the database holds something that can't be read: {0}")]
    Corrupt(String),
    /// A mistake of this program.
    #[error("the database refused: {0}")]
    Other(String),
}

impl DbError {
    /// The constraint that was violated.
    pub const fn constraint(&self) -> Option<&Constraint> {
        match self {
            Self::Unique(constraint) | Self::Check(constraint) | Self::ForeignKey(constraint) => {
                Some(constraint)
            }
            _ => None,
        }
    }

    /// Whether this is the violation of the constraint of that name.
    pub fn violates(&self, name: &str) -> bool {
        self.constraint().is_some_and(|constraint| constraint.is(name))
    }
}

impl DbError {
    pub(crate) fn from_sqlx(error: &sqlx::Error) -> Self {
        classify::sqlx_error(error)
    }
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        classify::db_err(&error)
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        classify::sqlx_error(&error)
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Overloaded | DbError::Conflict(_) => Self::Overloaded,
            DbError::Corrupt(what) => Self::Corrupt(what),
            DbError::Unavailable(what) => Self::Unavailable(what),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Why a database could not be opened. One line: what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepoError {
    /// `DATABASE_URL` names no database.
    #[error(
        "DATABASE_URL {url:?} can't be used: {why}; write sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE"
    )]
    Url {
        /// The text, its password hidden.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The server or the file can't be reached.
    #[error("can't reach the database {what}: {why}")]
    Unreachable {
        /// The server or the file.
        what: String,
        /// What went wrong, and what to do.
        why: String,
    },
    /// It is there and may not be written.
    #[error("the database {what} can't be written: {why}")]
    ReadOnly {
        /// The file or the server.
        what: String,
        /// What went wrong, and what to do.
        why: String,
    },
    /// It is there and refuses this user, or is no database.
    #[error("the database {what} refuses: {why}")]
    Refused {
        /// The file or the server.
        what: String,
        /// What went wrong, and what to do.
        why: String,
    },
}
