//! The gate of `labs_csv_stats`: behaviour, laws, faults. Its budgets are in `budget.rs`.

mod behaviour;
mod faults;
mod files;
mod laws;
