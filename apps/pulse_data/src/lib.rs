//! Schema, migrations and contexts on SQLite and PostgreSQL.
