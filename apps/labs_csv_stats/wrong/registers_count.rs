//! A register counts how often it was chosen: who comes often seems to be many.
//!
//! test: behaviour::few_different_values_are_counted
//! verdict: different values were estimated as
//>> distinct_add
        let (chosen, place) = read_hash(hash);
        let register = &mut self.registers[chosen];
        *register = register.saturating_add(place).min(53);
//<<
