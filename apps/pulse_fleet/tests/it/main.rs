//! Tests of the fleet and the front door, over a shop in memory that fails, stalls and races on demand, and over the
//! real store.
#![expect(clippy::unwrap_used, reason = "values that a test itself makes up are right, or the test is wrong")]

mod bounds;
mod checkout;
mod door;
mod laws;
mod lifecycle;
mod real_store;
mod shop;
mod storms;
