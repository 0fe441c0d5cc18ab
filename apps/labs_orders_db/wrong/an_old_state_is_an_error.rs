//! Repeats deadlocks and locks, and not a transaction that has read what somebody else has changed since.
//!
//! test: faults::who_has_read_an_old_state_begins_again
//! verdict: an old state is a conflict
//>> classify
    let constraint = || error.constraint().map_or_else(|| sqlite_constraint(&code, message), str::to_owned);
    match error.kind() {
        ErrorKind::UniqueViolation
        | ErrorKind::CheckViolation
        | ErrorKind::ForeignKeyViolation
        | ErrorKind::NotNullViolation => DbError::Violated(constraint()),
        _ if ["40P01", "55P03", "5", "6", "261"].contains(&&*code) => DbError::Conflict(message.to_owned()),
        _ if is_postgres(error) && ["08", "57"].iter().any(|class| code.starts_with(class)) => {
            DbError::Unavailable(message.to_owned())
        }
        _ => DbError::Other(format!("{message} ({code})")),
    }
//<<
