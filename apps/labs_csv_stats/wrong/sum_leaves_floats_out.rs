//! Adds up what is exact, passes over the rest, and calls it the exact sum.
//!
//! test: behaviour::there_is_no_exact_sum_of_floats
//! verdict: holds a float, and its exact sum is
//>> sum_add
        if let Some(Decimal(more)) = number.exact() {
            self.0 = self.0.and_then(|sum| sum.checked_add(more));
        }
//<<
