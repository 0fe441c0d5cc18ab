//! Products, promotions and deliveries.
//!
//! **Invariant.** Stock is never below zero, whoever writes; `stock = delivered + adjusted - sold + returned` can be
//! checked at any time, because what came in is kept beside what is there.

use super::Migration;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0001_catalog", up, down };

fn up(backend: Backend) -> String {
    spell(backend, UP)
}

fn down(_: Backend) -> String {
    DOWN.to_owned()
}

/// Fills in what the two databases write differently.
///
/// `{bytes}`: codes are compared byte by byte, so that both databases, and Rust, agree on their order.
/// `{by_key}`: the rows lie in the primary key's tree. `{roomy}`: a page keeps room for new versions of its rows,
/// so that a change of stock touches no index.
pub(super) fn spell(backend: Backend, sql: &str) -> String {
    let (bytes, id, by_key, roomy) = match backend {
        Backend::Postgres => {
            ("COLLATE \"C\"", "BIGINT GENERATED ALWAYS AS IDENTITY", "", "WITH (fillfactor = 70)")
        }
        Backend::Sqlite => ("", "INTEGER", "WITHOUT ROWID", "WITHOUT ROWID"),
    };
    sql.replace("{bytes}", bytes).replace("{id}", id).replace("{by_key}", by_key).replace("{roomy}", roomy)
}

const UP: &str = "
CREATE TABLE products (
    sku         TEXT {bytes} NOT NULL,
    name        TEXT    NOT NULL,
    -- The name in lower case: what is searched and sorted by.
    name_key    TEXT {bytes} NOT NULL,
    category    TEXT {bytes},
    description TEXT    NOT NULL DEFAULT '',
    price_pence BIGINT  NOT NULL,
    currency    TEXT    NOT NULL,
    vat         TEXT    NOT NULL,
    -- The time of the price: the newest one wins.
    priced_at   BIGINT  NOT NULL,
    stock       BIGINT  NOT NULL DEFAULT 0,
    delivered   BIGINT  NOT NULL DEFAULT 0,
    -- What people corrected by hand, up and down.
    adjusted    BIGINT  NOT NULL DEFAULT 0,
    active      BOOLEAN NOT NULL,
    -- Counts edits: the optimistic lock. Stock moves don't count.
    version     BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    CONSTRAINT pk_products PRIMARY KEY (sku),
    CONSTRAINT ck_products_name CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT ck_products_price_pence CHECK (price_pence BETWEEN 0 AND 100000000000),
    CONSTRAINT ck_products_currency CHECK (currency IN ('GBP', 'EUR', 'USD')),
    CONSTRAINT ck_products_vat CHECK (vat IN ('standard', 'reduced', 'zero')),
    CONSTRAINT ck_products_stock CHECK (stock BETWEEN 0 AND 1000000000000),
    CONSTRAINT ck_products_delivered CHECK (delivered BETWEEN 0 AND 1000000000000000)
) {roomy};
CREATE INDEX ix_products_name_key ON products (name_key, sku);
CREATE INDEX ix_products_price_pence ON products (price_pence, sku);
CREATE INDEX ix_products_created_at ON products (created_at, sku);
CREATE INDEX ix_products_category ON products (category, sku);

CREATE TABLE promotions (
    code       TEXT {bytes} NOT NULL,
    rule       TEXT    NOT NULL,
    active     BOOLEAN NOT NULL,
    starts_at  BIGINT,
    ends_at    BIGINT,
    updated_at BIGINT  NOT NULL,
    CONSTRAINT pk_promotions PRIMARY KEY (code),
    CONSTRAINT ck_promotions_code CHECK (length(code) BETWEEN 1 AND 40),
    CONSTRAINT ck_promotions_ends_at CHECK (ends_at > starts_at)
) {by_key};

CREATE TABLE deliveries (
    delivery_key TEXT {bytes} NOT NULL,
    lines        BIGINT NOT NULL,
    pieces       BIGINT NOT NULL,
    delivered_at BIGINT NOT NULL,
    CONSTRAINT pk_deliveries PRIMARY KEY (delivery_key),
    CONSTRAINT ck_deliveries_pieces CHECK (pieces >= 0)
) {by_key};
";

const DOWN: &str = "DROP TABLE deliveries; DROP TABLE promotions; DROP TABLE products;";
