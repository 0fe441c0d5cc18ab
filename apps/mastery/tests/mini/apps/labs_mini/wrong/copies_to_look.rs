//! Copies every name to measure it.
//!
//! test: budget::a_look_allocates_nothing
//! verdict: allocations
//>> longest
        self.things.clone().iter().map(String::len).max().unwrap_or(0)
//<<
