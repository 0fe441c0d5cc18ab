//! Laws of the domain, checked from outside.
#![expect(clippy::unwrap_used, reason = "values that a test itself makes up are right, or the test is wrong")]

mod access;
mod cart;
mod cart_recent;
mod money;
mod order;
mod pricing;
mod strategies;
mod texts;
