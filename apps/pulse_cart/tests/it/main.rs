//! Tests of a cart's server against a store that fails on demand, in virtual time.
#![expect(clippy::unwrap_used, reason = "values that a test itself makes up are right, or the test is wrong")]

mod checkout;
mod commands;
mod deleted;
mod laws;
mod sleep;
mod stage;
