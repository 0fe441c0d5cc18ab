//! What a database said, the same for both.
//!
//! **Invariant.** A rule that the schema keeps comes back under its constraint's name from either database, so that a
//! caller can tell a buyer's mistake from a broken disk. Codes decide, never wording; but SQLite names what was violated
//! nowhere else than in its message.

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;

/// Why a statement or a transaction did not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// The schema refused it. Again would be refused again.
    #[error("the database refused it: {0}")]
    Violated(String),
    /// Two transactions were in each other's way and this one was taken back: repeat it from its beginning.
    #[error("another transaction was in the way: {0}")]
    Conflict(String),
    /// The connection is gone. Whether a commit under way has happened is unknown.
    #[error("the database can't be reached: {0}")]
    Unavailable(String),
    /// A mistake in the program or its schema.
    #[error("the database failed: {0}")]
    Other(String),
}

impl DbError {
    /// Whether this constraint was violated. SQLite does not name foreign keys, so any of them may be meant.
    pub fn violates(&self, constraint: &str) -> bool {
        match self {
            Self::Violated(name) => name == constraint || name == "fk" && constraint.starts_with("fk_"),
            _ => false,
        }
    }
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => match inner.as_ref() {
                sqlx::Error::Database(refused) => classify(refused.as_ref()),
                other => Self::Unavailable(other.to_string()),
            },
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

fn classify(error: &dyn DatabaseError) -> DbError {
    let code = error.code().unwrap_or_default();
    let message = error.message();
    //>> classify
    //? PostgreSQL answers `error.constraint()`. What does SQLite say for a check, and what for a unique constraint?
    //? Which codes mean "repeat the transaction"?
    let constraint = || error.constraint().map_or_else(|| sqlite_constraint(&code, message), str::to_owned);
    match error.kind() {
        ErrorKind::UniqueViolation
        | ErrorKind::CheckViolation
        | ErrorKind::ForeignKeyViolation
        | ErrorKind::NotNullViolation => DbError::Violated(constraint()),
        // Serialisation failure, deadlock, and a lock that was not had in time; SQLite's busy and locked.
        _ if ["40001", "40P01", "55P03", "5", "6", "261", "517"].contains(&&*code) => {
            DbError::Conflict(message.to_owned())
        }
        // Connection errors and a server that shuts down.
        _ if is_postgres(error) && ["08", "57"].iter().any(|class| code.starts_with(class)) => {
            DbError::Unavailable(message.to_owned())
        }
        _ => DbError::Other(format!("{message} ({code})")),
    }
    //<<
}

/// `UNIQUE constraint failed: orders.key` or `CHECK constraint failed: ck_products_stock`.
fn sqlite_constraint(code: &str, message: &str) -> String {
    let said = message.split_once(": ").map_or("", |(_, said)| said);
    let table = said.split('.').next().unwrap_or_default();
    let prefix = match code {
        // SQLITE_CONSTRAINT_CHECK, _FOREIGNKEY, _PRIMARYKEY, _UNIQUE; what is left is _NOTNULL.
        "275" => return said.to_owned(),
        "787" => return "fk".to_owned(),
        "1555" => return format!("pk_{table}"),
        "2067" => "uq",
        _ => "nn",
    };
    let columns = said.split(", ").filter_map(|name| name.split_once('.')).map(|(_, column)| column);
    columns.fold(format!("{prefix}_{table}"), |name, column| name + "_" + column)
}

fn is_postgres(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some()
}
