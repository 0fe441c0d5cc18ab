//! A durable job queue on SQLite and PostgreSQL.
