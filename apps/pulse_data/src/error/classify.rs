//! From a driver's error to a [`DbError`].
//!
//! **Invariant.** Codes decide, never wording, but for SQLite's constraint messages: they are the only place where
//! SQLite names what was violated.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use super::{Constraint, DbError};

pub(super) fn db_err(error: &DbErr) -> DbError {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(inner))
        | DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner)) => sqlx_error(inner),
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => DbError::Overloaded,
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) | DbErr::Conn(_) => {
            DbError::Unavailable(error.to_string())
        }
        DbErr::Type(_) | DbErr::Json(_) | DbErr::TryIntoErr { .. } => DbError::Corrupt(error.to_string()),
        _ => DbError::Other(error.to_string()),
    }
}

pub(super) fn sqlx_error(error: &sqlx::Error) -> DbError {
    match error {
        sqlx::Error::Database(inner) => database(inner.as_ref()),
        sqlx::Error::PoolTimedOut => DbError::Overloaded,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => DbError::Unavailable(error.to_string()),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => DbError::Corrupt(error.to_string()),
        _ => DbError::Other(error.to_string()),
    }
}

fn database(error: &dyn DatabaseError) -> DbError {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        postgres(error)
    } else if error.try_downcast_ref::<SqliteError>().is_some() {
        let code = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
        sqlite(code, error.message())
    } else {
        DbError::Other(error.to_string())
    }
}

fn postgres(error: &PgDatabaseError) -> DbError {
    let constraint = || Constraint {
        name: error.constraint().unwrap_or_default().to_owned(),
        table: error.table().unwrap_or_default().to_owned(),
        columns: Vec::new(),
    };
    let message = || error.message().to_owned();
    match error.code() {
        "23505" => DbError::Unique(constraint()),
        "23503" => DbError::ForeignKey(constraint()),
        "23514" => DbError::Check(constraint()),
        "23502" => DbError::NotNull {
            table: error.table().unwrap_or_default().to_owned(),
            column: error.column().unwrap_or_default().to_owned(),
        },
        "40001" | "40P01" | "55P03" => DbError::Conflict(message()),
        "53300" => DbError::Overloaded,
        "53100" => DbError::Unavailable(format!("{}: free some space on its disk", error.message())),
        "25006" => {
            DbError::Unavailable(format!("{}: is this a standby? Connect to the primary", error.message()))
        }
        "57014" => DbError::Unavailable(format!("{}: it took longer than its time limit", error.message())),
        "XX001" | "XX002" => DbError::Corrupt(message()),
        code if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            DbError::Unavailable(message())
        }
        code => DbError::Other(format!("{} ({code})", error.message())),
    }
}

/// SQLite's result codes: the low byte is the kind, the rest says more.
fn sqlite(code: i32, message: &str) -> DbError {
    match code {
        // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY, _ROWID
        2067 => DbError::Unique(named_by_columns("uq", message)),
        1555 | 2579 => DbError::Unique(named_by_columns("pk", message)),
        275 => DbError::Check(Constraint { name: after_colon(message).to_owned(), ..Constraint::default() }),
        787 => DbError::ForeignKey(Constraint::default()),
        1299 => {
            let (table, column) = after_colon(message).split_once('.').unwrap_or_default();
            DbError::NotNull { table: table.to_owned(), column: column.to_owned() }
        }
        _ => match code & 0xff {
            5 | 6 => DbError::Unavailable(format!("{message}: another program holds the file; stop it")),
            7 => DbError::Unavailable("out of memory".to_owned()),
            8 => DbError::Unavailable(format!("{message}: make the file and its folder writable")),
            9 => DbError::Unavailable("the statement took longer than its time limit".to_owned()),
            10 | 14 => {
                DbError::Unavailable(format!("{message} (code {code}): look at the disk and its permissions"))
            }
            13 => DbError::Unavailable(format!("{message}: free some space on its disk")),
            11 | 26 => DbError::Corrupt(format!("{message}: restore a backup")),
            _ => DbError::Other(format!("{message} (code {code})")),
        },
    }
}

fn after_colon(message: &str) -> &str {
    message.split_once(": ").map_or("", |(_, names)| names)
}

/// `UNIQUE constraint failed: users.email, users.shop`, or `… failed: index 'uq_users_lower_email'`.
fn named_by_columns(kind: &str, message: &str) -> Constraint {
    let names = after_colon(message);
    if let Some(index) = names.strip_prefix("index '") {
        return Constraint { name: index.trim_end_matches('\'').to_owned(), ..Constraint::default() };
    }
    let mut constraint = Constraint::default();
    for name in names.split(", ") {
        let (table, column) = name.split_once('.').unwrap_or(("", name));
        table.clone_into(&mut constraint.table);
        constraint.columns.push(column.to_owned());
    }
    constraint.name = match kind {
        "pk" => format!("pk_{}", constraint.table),
        _ => format!("{kind}_{}_{}", constraint.table, constraint.columns.join("_")),
    };
    constraint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_names_a_unique_constraint_by_its_columns() {
        let error = sqlite(2067, "UNIQUE constraint failed: users.shop, users.email");
        assert!(error.violates("uq_users_shop_email"), "{error:?}");
        assert!(!error.violates("uq_users_email"));
        assert!(sqlite(1555, "UNIQUE constraint failed: carts.id").violates("pk_carts"));
        assert!(sqlite(2067, "UNIQUE constraint failed: index 'uq_users_lower'").violates("uq_users_lower"));
    }

    #[test]
    fn a_foreign_key_without_a_name_may_be_any_foreign_key() {
        let error = sqlite(787, "FOREIGN KEY constraint failed");
        assert!(error.violates("fk_lines_order"));
        assert!(!error.violates("uq_lines_order"));
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let error = sqlite(13, "database or disk is full");
        assert_eq!(
            error.to_string(),
            "the database is unavailable: database or disk is full: free some space on its disk"
        );
    }
}
