//! Gives the counter of the least value to the new one, with the old one's count: a rare value looks frequent.
//!
//! test: laws::counts_are_within_their_bounds
//! verdict: is counted
//>> frequent_keep
        if self.items.len() == COUNTERS {
            let least = self.items.iter().enumerate().min_by_key(|(_, kept)| kept.count).map_or(0, |(place, _)| place);
            item.count += self.items[least].count;
            self.error = self.error.max(self.items[least].count);
            self.items[least] = item;
            self.slots.clear();
            for (place, kept) in self.items.iter().enumerate() {
                self.slots.insert(kept.hash, place);
            }
        } else {
            item.count = item.count.max(1);
            self.slots.insert(item.hash, self.items.len());
            self.items.push(item);
        }
//<<
