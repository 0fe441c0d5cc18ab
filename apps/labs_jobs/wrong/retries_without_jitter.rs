//! Waits exactly as long as all the others: a thousand jobs that failed together knock together.
//!
//! test: laws::jobs_that_failed_together_come_back_apart
//! verdict: a hundred jobs all come back within
//>> backoff
        _ = span(0, jitter);
        let doubled = 2_i64.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(doubled).min(self.most)
//<<
