//! Laws of the diff: after every message the client shows what a full render gives.

mod golden;
mod law;
mod node;
mod official;
mod random;
mod world;
