//! Takes a server that restarts for a mistake in the program: nobody asks again, and somebody is woken at night.
//!
//! test: faults::a_server_that_goes_away_is_unavailable
//! verdict: a server that goes away is Other
//>> classify
    let constraint = || error.constraint().map_or_else(|| sqlite_constraint(&code, message), str::to_owned);
    match error.kind() {
        ErrorKind::UniqueViolation
        | ErrorKind::CheckViolation
        | ErrorKind::ForeignKeyViolation
        | ErrorKind::NotNullViolation => DbError::Violated(constraint()),
        _ if ["40001", "40P01", "55P03", "5", "6", "261", "517"].contains(&&*code) => DbError::Conflict(message.to_owned()),
        _ => DbError::Other(format!("{message} ({code})")),
    }
//<<
