//! The orders desk: its laws, its page driven in process, its channels over a real socket, a real browser.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without")]

mod book;
mod browser;
mod client;
mod feed;
mod page;
