//! When the shop first saw each version of a cart, so that guests' carts that were left alone can be deleted.
//!
//! **Invariant.** A row of a cart that is gone is gone with it. What is marked as an account's stays so.

use super::Migration;
use super::m0001_catalog::spell;
use crate::Backend;

pub(super) const MIGRATION: Migration = Migration { name: "m0014_cart_sightings", up, down };

fn up(backend: Backend) -> String {
    spell(backend, UP)
}

fn down(_: Backend) -> String {
    "DROP TABLE cart_sightings".to_owned()
}

// No foreign key: its check would write to the cart's row, which has writes enough.
const UP: &str = "
CREATE TABLE cart_sightings (
    id      TEXT    NOT NULL,
    version BIGINT  NOT NULL,
    -- When this version was first seen.
    seen_at BIGINT  NOT NULL,
    -- Whether the cart is an account's.
    account BOOLEAN NOT NULL,
    CONSTRAINT pk_cart_sightings PRIMARY KEY (id)
) {by_key};
";
