//! Stops at the greatest sum that has a place, and calls it exact.
//!
//! test: behaviour::there_is_no_sum_beyond_its_bits
//! verdict: one more has no place in 128 bits
//>> sum_add
        let more = number.exact();
        self.0 = self.0.zip(more).map(|(sum, Decimal(more))| sum.saturating_add(more));
//<<
