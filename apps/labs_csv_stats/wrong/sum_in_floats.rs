//! Adds up floats and rounds at the end: thirty cents here, a penny there.
//!
//! test: behaviour::the_sum_is_exact
//! verdict: a sum beyond 64 bits came out as 276701161105643274
//>> sum_add
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the mistake")]
        let add = |sum: i128| ((sum as f64 / 1e9 + number.value()) * 1e9).round() as i128;
        self.0 = number.exact().and(self.0).map(add);
//<<
