//! The gate of `labs_ingest`: behaviour, laws, faults. Its budgets are in `budget.rs`.

mod behaviour;
mod depot;
mod faults;
mod laws;
