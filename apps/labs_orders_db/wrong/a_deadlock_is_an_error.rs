//! Repeats what was busy and forgets what was taken back: of two that waited for each other, one is told that the shop is broken.
//!
//! test: faults::who_was_taken_back_for_a_deadlock_begins_again
//! verdict: a deadlock is a conflict
//>> classify
    let constraint = || error.constraint().map_or_else(|| sqlite_constraint(&code, message), str::to_owned);
    match error.kind() {
        ErrorKind::UniqueViolation
        | ErrorKind::CheckViolation
        | ErrorKind::ForeignKeyViolation
        | ErrorKind::NotNullViolation => DbError::Violated(constraint()),
        _ if ["5", "6", "261", "517"].contains(&&*code) => DbError::Conflict(message.to_owned()),
        _ if is_postgres(error) && ["08", "57"].iter().any(|class| code.starts_with(class)) => {
            DbError::Unavailable(message.to_owned())
        }
        _ => DbError::Other(format!("{message} ({code})")),
    }
//<<
