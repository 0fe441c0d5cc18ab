//! Keeps the first 256 values, and is full.
//!
//! test: behaviour::the_frequent_are_found_among_the_rare
//! verdict: may be missed, of 5,000
//>> frequent_keep
        if self.items.len() == COUNTERS {
            self.error += item.count;
        } else {
            item.count = item.count.max(1);
            self.slots.insert(item.hash, self.items.len());
            self.items.push(item);
        }
//<<
