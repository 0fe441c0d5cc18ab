//! Begins the patience anew behind a full batch, and not with the next message: whoever comes late in it is written at once, alone.
//!
//! test: laws::batches_are_in_order_within_size_and_within_patience
//! verdict: when the batch is due
//>> push
        self.held.push(item);
        let full = if self.held.len() >= self.size { self.flush() } else { None };
        if self.due.is_none() {
            self.due = now.checked_add(self.patience);
        }
        full
//<<
