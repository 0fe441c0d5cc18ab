//! Tests of the shop's jobs, on both databases.

#![expect(clippy::unwrap_used, reason = "in a test an error is a failure")]

mod mail;
mod outside;
mod payments;
mod shop;
mod smtp;
mod watch;
mod webhooks;
