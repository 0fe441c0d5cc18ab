//! The parts of a live page, each from the outside, and the laws of the diff.
#![expect(clippy::unwrap_used, reason = "a test's helper may fail as its test does")]

mod app;
mod browser;
mod bursts;
mod compile_fail;
mod components;
mod diff;
mod forms;
mod html;
mod joins;
mod parts;
mod streams;
mod tokens;
mod views;
