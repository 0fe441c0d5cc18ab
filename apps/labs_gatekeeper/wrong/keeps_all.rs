//! Keeps everything: a check in a loop fills the memory of the gate.
//!
//! test: laws::the_beginning_and_the_end_are_kept
//! verdict: bytes are held, and the bound is
//>> keep
        self.head.extend_from_slice(printed);
//<<
