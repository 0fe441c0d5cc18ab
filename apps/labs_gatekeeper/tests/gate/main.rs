//! The gate of `labs_gatekeeper`: behaviour, laws, faults. Its budgets are in `budget.rs`.

mod behaviour;
mod faults;
mod laws;
mod projects;
