//! Tests of `pulse_web` from outside: through a real socket, on a database of their own.
#![expect(clippy::unwrap_used, reason = "a test's way to say what must hold")]

mod access;
mod account_pages;
mod accounts;
mod admin;
mod bad_input;
mod cart;
mod catalogue;
mod checkout;
mod described;
mod document;
mod edge;
mod feeds;
mod hostile;
mod office;
mod open_page;
mod plain_forms;
mod programs;
mod serve;
mod shop_pages;
mod socket;
mod stage;
mod turns;
mod webhooks;
