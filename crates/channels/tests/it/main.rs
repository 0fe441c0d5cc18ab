//! Tests over real sockets: a server on a free port, clients that speak the wire themselves.

mod app;
mod client;
mod joining;
mod messages;
