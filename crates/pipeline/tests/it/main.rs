//! Tests of the pipeline: laws over arbitrary pipelines, virtual time, real files, databases, brokers and sockets.

#![expect(clippy::unwrap_used, reason = "in a test an error is a failure")]

mod basics;
mod database;
mod edges;
mod files;
mod http;
mod laws;
mod nats;
mod outbox;
mod time;
