//! The data room's tests, on both databases.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod accounts;
mod audit;
mod carts;
mod catalog;
mod changeset;
mod checkout;
mod connect;
mod errors;
mod feeds;
mod guest_carts;
mod imports;
mod migrations;
mod multi;
mod orders;
mod page;
mod postgres;
mod repo;
mod requests;
mod shop;
mod upgrade;
