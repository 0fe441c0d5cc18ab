//! The kit: what it measures is right, its receipts can't be had otherwise, its counterexamples are small.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without")]

mod measure;
mod receipt;

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;
