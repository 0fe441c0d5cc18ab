//! Adds up in 64 bits, as if a sum were no larger than its parts.
//!
//! test: behaviour::the_sum_is_exact
//! verdict: a sum beyond 64 bits came out as
//>> sum_add
        let more = number.exact();
        self.0 = self.0.zip(more).map(|(sum, Decimal(more))| {
            let unit = 1_000_000_000;
            let units = i64::try_from(sum / unit).unwrap_or(0).wrapping_add(i64::try_from(more / unit).unwrap_or(0));
            i128::from(units) * unit + sum % unit + more % unit
        });
//<<
