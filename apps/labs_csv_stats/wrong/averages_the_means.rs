//! The mean of two means, however many values stand behind each.
//!
//! test: laws::merged_moments_are_those_of_all
//! verdict: the mean of all is
//>> moments_merge
        let count = self.count + other.count;
        if other.count == 0 {
            return;
        }
        let (ours, theirs, all) = (float(self.count), float(other.count), float(count));
        let apart = other.mean - self.mean;
        self.mean = if self.count == 0 { other.mean } else { f64::midpoint(self.mean, other.mean) };
        self.squares += other.squares + apart * apart * (ours * theirs / all);
        self.count = count;
//<<
