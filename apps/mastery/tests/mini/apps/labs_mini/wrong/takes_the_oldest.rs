//! Takes from the wrong end.
//!
//! test: laws::things_come_back_in_reverse
//! verdict: came back as
//>> take
        (!self.things.is_empty()).then(|| self.things.remove(0))
//<<
