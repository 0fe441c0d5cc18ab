//! The integration tests of this crate: one binary, a module a subject.

#![expect(clippy::unwrap_used, reason = "a test that can not go on should say where")]

mod demo;
mod feed;
mod killed;
mod real;
mod replay;
mod rules;
mod sample;
mod shop;
