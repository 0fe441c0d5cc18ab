//! The gate of `labs_jobs`: behaviour, laws, faults. Its budgets are in `budget.rs`.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without")]

mod behaviour;
mod desk;
mod faults;
mod laws;
