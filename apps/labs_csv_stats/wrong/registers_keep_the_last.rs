//! A register takes the place of the hash that came last, instead of the rarest.
//!
//! test: laws::different_values_are_estimated_within_the_error
//! verdict: the same values once more have changed the registers
//>> distinct_add
        let (chosen, place) = read_hash(hash);
        self.registers[chosen] = place;
//<<
