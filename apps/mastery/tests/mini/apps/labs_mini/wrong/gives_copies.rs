//! Gives a copy, and keeps the thing.
//!
//! test: laws::things_come_back_in_reverse
//! verdict: came back as
//>> take
        self.things.last().cloned()
//<<
