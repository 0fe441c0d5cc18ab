//! Users and what proves who they are: sessions, tokens, resets; and the count of failed logins.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0004_accounts", up, down };

fn up(backend: Backend) -> String {
    let id = |table: &str| match backend {
        Backend::Sqlite => format!("INTEGER CONSTRAINT pk_{table} PRIMARY KEY AUTOINCREMENT"),
        Backend::Postgres => format!("BIGINT GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_{table} PRIMARY KEY"),
    };
    format!(
        "CREATE TABLE users (
            id {users},
            -- In lower case; absent for buyers that came with a replay.
            email TEXT,
            -- The buyer's number in another shop's books.
            external_ref TEXT,
            country TEXT,
            role TEXT NOT NULL,
            status TEXT NOT NULL,
            -- Argon2id in PHC form; absent where nobody can sign in.
            password_hash TEXT,
            created_at BIGINT NOT NULL,
            CONSTRAINT uq_users_email UNIQUE (email),
            CONSTRAINT uq_users_external_ref UNIQUE (external_ref),
            CONSTRAINT ck_users_named CHECK (email IS NOT NULL OR external_ref IS NOT NULL),
            CONSTRAINT ck_users_email CHECK (length(email) BETWEEN 3 AND 254),
            CONSTRAINT ck_users_role CHECK (role IN ('buyer', 'support', 'manager', 'admin')),
            CONSTRAINT ck_users_status CHECK (status IN ('active', 'locked'))
        );
        CREATE INDEX ix_users_role_id ON users (role, id);
        CREATE TABLE sessions (
            -- What is kept of a token is its SHA-256: who reads this table can sign in as nobody.
            token_hash TEXT NOT NULL,
            user_id BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            seen_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL,
            client TEXT NOT NULL,
            CONSTRAINT pk_sessions PRIMARY KEY (token_hash),
            CONSTRAINT fk_sessions_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
        );
        CREATE INDEX ix_sessions_user_id ON sessions (user_id);
        CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
        CREATE TABLE api_tokens (
            id {api_tokens},
            user_id BIGINT NOT NULL,
            name TEXT NOT NULL,
            token_hash TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            used_at BIGINT,
            revoked_at BIGINT,
            CONSTRAINT uq_api_tokens_token_hash UNIQUE (token_hash),
            CONSTRAINT ck_api_tokens_name CHECK (length(name) BETWEEN 1 AND 80),
            CONSTRAINT fk_api_tokens_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
        );
        CREATE INDEX ix_api_tokens_user_id ON api_tokens (user_id);
        CREATE TABLE password_resets (
            token_hash TEXT NOT NULL,
            user_id BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            expires_at BIGINT NOT NULL,
            used_at BIGINT,
            CONSTRAINT pk_password_resets PRIMARY KEY (token_hash),
            CONSTRAINT fk_password_resets_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
        );
        CREATE INDEX ix_password_resets_user_id ON password_resets (user_id);
        CREATE INDEX ix_password_resets_expires_at ON password_resets (expires_at);
        CREATE TABLE login_failures (
            -- The SHA-256 of the address that was tried, whether it is an account's or not.
            account TEXT NOT NULL,
            failures BIGINT NOT NULL,
            last_at BIGINT NOT NULL,
            blocked_until BIGINT NOT NULL,
            CONSTRAINT pk_login_failures PRIMARY KEY (account)
        );
        CREATE INDEX ix_login_failures_last_at ON login_failures (last_at)",
        users = id("users"),
        api_tokens = id("api_tokens"),
    )
}

fn down(_: Backend) -> String {
    "DROP TABLE login_failures; DROP TABLE password_resets; DROP TABLE api_tokens; DROP TABLE sessions; \
     DROP TABLE users"
        .to_owned()
}
