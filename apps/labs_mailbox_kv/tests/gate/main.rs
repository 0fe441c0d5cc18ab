//! The gate of `labs_mailbox_kv`: behaviour, laws, faults. Its budgets are in `budget.rs`.

mod behaviour;
mod faults;
mod laws;
mod time;
