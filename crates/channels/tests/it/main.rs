//! Tests over real sockets: a server on a free port, clients that speak the wire themselves.

mod app;
mod client;
mod clients;
mod hostile;
mod joining;
mod messages;
mod presence;
mod transport;
mod wire;
