//! The gate of `labs_orders_db`, each check on SQLite and on PostgreSQL. Its budgets are in `budget.rs`.

mod behaviour;
mod desk;
mod faults;
mod laws;
