//! The gate of `labs_orders_web`: behaviour, laws, faults. Its budgets are in `budget.rs`.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without")]

mod behaviour;
mod client;
mod faults;
mod laws;
