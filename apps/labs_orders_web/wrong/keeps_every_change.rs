//! Keeps all changes for those who were away: the book grows for ever.
//!
//! test: behaviour::a_program_that_was_away_is_told_what_it_has_missed
//! verdict: too long ago: all orders anew
//>> write
        self.version += 1;
        let change = Change { version: self.version, order: order.clone() };
        self.orders.insert(order.no, order);
        self.changes.push_back(change.clone());
        change
//<<
