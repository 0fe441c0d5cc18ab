//! The gate of `labs_session_workers`: behaviour, laws, faults. Its budgets are in `budget.rs`.

mod behaviour;
mod faults;
mod hall;
mod laws;
mod room;
