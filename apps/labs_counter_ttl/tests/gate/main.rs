//! The gate of `labs_counter_ttl`: behaviour, laws, faults. Its budgets are in `budget.rs`.

mod behaviour;
mod faults;
mod laws;
mod probe;
