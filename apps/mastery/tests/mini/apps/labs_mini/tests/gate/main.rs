//! The gate.

mod behaviour;
mod laws;
