//! Makes room by dropping the least counters, and tells nobody that their counts are gone.
//!
//! test: laws::counts_are_within_their_bounds
//! verdict: may be missed
//>> frequent_keep
        if self.items.len() == COUNTERS {
            let lower = self.median();
            self.items.retain(|kept| kept.count > lower);
            self.slots.clear();
            for (place, kept) in self.items.iter().enumerate() {
                self.slots.insert(kept.hash, place);
            }
        }
        item.count = item.count.max(1);
        self.slots.insert(item.hash, self.items.len());
        self.items.push(item);
//<<
