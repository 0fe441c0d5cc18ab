//! Counts how often it lowered the counts, and not by how much.
//!
//! test: laws::counts_are_within_their_bounds
//! verdict: may be missed
//>> frequent_keep
        if self.items.len() == COUNTERS {
            let lower = self.median();
            self.error += 1;
            self.items.retain_mut(|kept| {
                kept.count = kept.count.saturating_sub(lower);
                kept.count > 0
            });
            self.slots.clear();
            for (place, kept) in self.items.iter().enumerate() {
                self.slots.insert(kept.hash, place);
            }
            item.count = item.count.saturating_sub(lower);
        }
        if item.count > 0 {
            self.slots.insert(item.hash, self.items.len());
            self.items.push(item);
        }
//<<
