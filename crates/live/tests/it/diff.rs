//! Laws of the diff: after every message the client shows what a full render gives.

mod law;
mod node;
mod random;
mod world;
