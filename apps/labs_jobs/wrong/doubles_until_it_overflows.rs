//! Doubles by shifting: the thirty-second failure comes back at once, or panics.
//!
//! test: laws::a_wait_grows_and_stays_within_its_bounds
//! verdict: waits
//>> backoff
        let doubled = i64::from(1_u32.wrapping_shl(failures.saturating_sub(1)));
        let whole = self.first.saturating_mul(doubled).min(self.most);
        whole / 2 + span(whole - whole / 2, jitter)
//<<
