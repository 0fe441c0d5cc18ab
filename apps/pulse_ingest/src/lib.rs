//! Feeds in: a year of a real shop, and the report over it.

pub mod demo;
pub mod retail;
