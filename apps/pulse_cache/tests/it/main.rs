//! Tests of `pulse_cache` from outside.
#![expect(clippy::unwrap_used, reason = "a test's way to say what must hold")]

mod catalogue;
mod read_through;
