//! Adds the spreads of two halves, and forgets how far apart their means are.
//!
//! test: laws::merged_moments_are_those_of_all
//! verdict: the variance of
//>> moments_merge
        if other.count == 0 {
            return;
        }
        let count = self.count + other.count;
        self.mean += (other.mean - self.mean) * (float(other.count) / float(count));
        self.squares += other.squares;
        self.count = count;
//<<
