//! Merges two empty summaries, and divides by the number of values in them.
//!
//! test: laws::nothing_changes_nothing
//! verdict: nothing and nothing make
//>> moments_merge
        let (ours, theirs) = (float(self.count), float(other.count));
        let apart = other.mean - self.mean;
        self.mean += apart * theirs / (ours + theirs);
        self.squares += other.squares + apart * apart * ours * theirs / (ours + theirs);
        self.count += other.count;
//<<
