//! Where the shop's news goes: webhook endpoints, what was sent to them, and what the shop keeps an eye on.
//!
//! **Invariant.** An endpoint is told of an event at most once by itself (a person may have it sent again); a delivery
//! that has ended says when; a cart's version is reminded of at most once, and a dip in stock told at most once.

use super::Migration;
use super::m0001_catalog::spell;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0011_webhooks", up, down };

fn up(backend: Backend) -> String {
    spell(backend, UP)
}

fn down(_: Backend) -> String {
    DOWN.to_owned()
}

const UP: &str = "
CREATE TABLE webhook_endpoints (
    id              {id} NOT NULL,
    url             TEXT    NOT NULL,
    -- A JSON list of the kinds of events that it is told of.
    events          TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    -- What signs: it has to be readable, because the shop signs with it.
    secret          TEXT    NOT NULL,
    -- The secret before, which signs too until then.
    old_secret      TEXT,
    old_until       BIGINT,
    enabled         BOOLEAN NOT NULL,
    -- Since when nothing was taken; absent while things are well.
    failing_since   BIGINT,
    -- Why the shop has switched it off by itself.
    disabled_reason TEXT,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    CONSTRAINT pk_webhook_endpoints PRIMARY KEY (id),
    CONSTRAINT ck_webhook_endpoints_url CHECK (length(url) BETWEEN 1 AND 2000),
    CONSTRAINT ck_webhook_endpoints_description CHECK (length(description) <= 200),
    CONSTRAINT ck_webhook_endpoints_old CHECK ((old_secret IS NULL) = (old_until IS NULL)),
    CONSTRAINT ck_webhook_endpoints_disabled CHECK (disabled_reason IS NULL OR NOT enabled)
);

CREATE TABLE webhook_deliveries (
    id          {id} NOT NULL,
    endpoint_id BIGINT NOT NULL,
    event_id    TEXT {bytes} NOT NULL,
    event       TEXT   NOT NULL,
    payload     TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    attempts    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_webhook_deliveries_endpoint_id_event_id UNIQUE (endpoint_id, event_id),
    CONSTRAINT fk_webhook_deliveries_endpoint_id FOREIGN KEY (endpoint_id)
        REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('pending', 'delivered', 'failed')
        AND (state = 'pending') = (ended_at IS NULL))
);
CREATE INDEX ix_webhook_deliveries_endpoint_id ON webhook_deliveries (endpoint_id, id);
CREATE INDEX ix_webhook_deliveries_state ON webhook_deliveries (state, id);
CREATE INDEX ix_webhook_deliveries_created_at ON webhook_deliveries (created_at);

CREATE TABLE webhook_attempts (
    delivery_id BIGINT NOT NULL,
    attempt     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    -- The answer's status; absent where none came.
    status      BIGINT,
    millis      BIGINT NOT NULL,
    -- The beginning of the answer, or why there was none.
    note        TEXT   NOT NULL,
    CONSTRAINT pk_webhook_attempts PRIMARY KEY (delivery_id, attempt),
    CONSTRAINT fk_webhook_attempts_delivery_id FOREIGN KEY (delivery_id)
        REFERENCES webhook_deliveries (id) ON DELETE CASCADE
) {by_key};

-- Products that have run low and were told of; the row goes when there is enough again.
CREATE TABLE stock_dips (
    sku    TEXT {bytes} NOT NULL,
    stock  BIGINT NOT NULL,
    dip_at BIGINT NOT NULL,
    CONSTRAINT pk_stock_dips PRIMARY KEY (sku)
) {by_key};

-- Accounts' carts that have lines, as they were last looked at.
CREATE TABLE cart_watch (
    user_id  BIGINT NOT NULL,
    version  BIGINT NOT NULL,
    -- When this version was first seen.
    seen_at  BIGINT NOT NULL,
    -- The version that the buyer was reminded of.
    reminded BIGINT,
    CONSTRAINT pk_cart_watch PRIMARY KEY (user_id),
    CONSTRAINT fk_cart_watch_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) {by_key};

-- Links in reminders with which they can be stopped; the SHA-256 of each.
CREATE TABLE reminder_links (
    token_hash TEXT   NOT NULL,
    user_id    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_reminder_links PRIMARY KEY (token_hash),
    CONSTRAINT fk_reminder_links_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_reminder_links_user_id ON reminder_links (user_id);
CREATE INDEX ix_reminder_links_created_at ON reminder_links (created_at);

-- Whether an account wants to be reminded of its cart.
ALTER TABLE users ADD COLUMN reminders BOOLEAN NOT NULL DEFAULT TRUE;
";

const DOWN: &str = "
ALTER TABLE users DROP COLUMN reminders;
DROP TABLE reminder_links;
DROP TABLE cart_watch;
DROP TABLE stock_dips;
DROP TABLE webhook_attempts;
DROP TABLE webhook_deliveries;
DROP TABLE webhook_endpoints;
";
