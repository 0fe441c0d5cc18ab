//! The gate of M5, each check on SQLite and on PostgreSQL.

#[path = "gate/behaviour.rs"]
mod behaviour;
#[path = "gate/desk.rs"]
mod desk;
#[path = "gate/faults.rs"]
mod faults;
#[path = "gate/laws.rs"]
mod laws;
