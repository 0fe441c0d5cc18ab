//! Orders by where they stand: what the people who pack and ship look through all day.
//!
//! **Invariant.** The index is in the order of the list (status, then number downwards), so a page costs its own rows
//! and not those of every order that the shop ever had.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration {
    name: "m0008_order_status",
    up: |_| "CREATE INDEX ix_orders_status ON orders (status, id)".to_owned(),
    down: |_| "DROP INDEX ix_orders_status".to_owned(),
};
