//! Gives the lock back and then tells: two changes are told in the wrong order, and whoever goes by versions skips one.
//!
//! test: faults::changes_are_told_in_the_order_of_their_versions
//! verdict: told out of order
//>> change
        let change = act(&mut self.book.lock())?;
        let order = change.order.clone();
        std::thread::yield_now();
        if change.version % 2 == 1 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        self.tell(change);
        Ok(order)
//<<
