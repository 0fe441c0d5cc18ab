//! Pulse: the one binary of the shop.

fn main() {}
