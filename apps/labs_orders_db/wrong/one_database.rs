//! Reads the constraint's name as PostgreSQL gives it, and takes SQLite's silence for no name.
//!
//! test: behaviour::both_databases_name_what_was_violated
//! verdict: was violated, and it says
//>> classify
    match error.kind() {
        ErrorKind::UniqueViolation
        | ErrorKind::CheckViolation
        | ErrorKind::ForeignKeyViolation
        | ErrorKind::NotNullViolation => DbError::Violated(error.constraint().unwrap_or_default().to_owned()),
        _ if ["40001", "40P01", "55P03", "5", "6", "261", "517"].contains(&&*code) => DbError::Conflict(message.to_owned()),
        _ if is_postgres(error) && ["08", "57"].iter().any(|class| code.starts_with(class)) => {
            DbError::Unavailable(message.to_owned())
        }
        _ => DbError::Other(format!("{message} ({code})")),
    }
//<<
