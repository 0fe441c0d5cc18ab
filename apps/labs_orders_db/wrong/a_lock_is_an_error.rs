//! Knows PostgreSQL's conflicts and not SQLite's: a file that somebody writes at the moment is taken for a broken one.
//!
//! test: faults::a_lock_that_was_not_had_is_a_conflict
//! verdict: a lock that was not had is Other
//>> classify
    let constraint = || error.constraint().map_or_else(|| sqlite_constraint(&code, message), str::to_owned);
    match error.kind() {
        ErrorKind::UniqueViolation
        | ErrorKind::CheckViolation
        | ErrorKind::ForeignKeyViolation
        | ErrorKind::NotNullViolation => DbError::Violated(constraint()),
        _ if ["40001", "40P01", "55P03"].contains(&&*code) => DbError::Conflict(message.to_owned()),
        _ if is_postgres(error) && ["08", "57"].iter().any(|class| code.starts_with(class)) => {
            DbError::Unavailable(message.to_owned())
        }
        _ => DbError::Other(format!("{message} ({code})")),
    }
//<<
