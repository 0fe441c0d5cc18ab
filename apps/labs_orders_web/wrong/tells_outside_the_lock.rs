//! Gives the lock back and then tells: two changes are told in the wrong order, and whoever goes by versions skips one.
//!
//! test: faults::a_change_is_told_before_the_next_one_is_made
//! verdict: versions in the order in which they were told
//>> change
        let change = act(&mut self.book.lock())?;
        let order = change.order.clone();
        self.tell(change);
        Ok(order)
//<<
