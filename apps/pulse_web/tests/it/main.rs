//! Tests of `pulse_web` from outside: through a real socket, on a database of their own.
#![expect(clippy::unwrap_used, reason = "a test's way to say what must hold")]

mod access;
mod accounts;
mod admin;
mod bad_input;
mod cart;
mod catalogue;
mod checkout;
mod described;
mod document;
mod edge;
mod serve;
mod stage;
