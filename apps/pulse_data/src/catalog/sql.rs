//! Two spellings of one statement, and text for `LIKE`.
//!
//! **Invariant.** SQL text is constant, so each text is prepared once a connection; lists travel as one JSON parameter.

use sea_orm::{ConnectionTrait, DbBackend};

/// Two spellings of one statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialects {
    /// For SQLite.
    pub(crate) sqlite: &'static str,
    /// For PostgreSQL.
    pub(crate) postgres: &'static str,
}

impl Dialects {
    /// The spelling for this connection.
    pub(crate) fn of(self, db: &impl ConnectionTrait) -> &'static str {
        match db.get_database_backend() {
            DbBackend::Postgres => self.postgres,
            _ => self.sqlite,
        }
    }
}

/// A pattern for `LIKE … ESCAPE '\'` that finds `text` anywhere; its wildcards stand for themselves.
pub(crate) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(contains("50%_a\\b"), r"%50\%\_a\\b%");
    }
}
