//! Believes that it is told of every change: those that its full mailbox did not take are never shown.
//!
//! test: faults::a_page_that_was_told_too_much_at_once_catches_up
//! verdict: it was told of none of
//>> show
                if change.version <= self.version {
                    return;
                }
                self.version = change.version;
                let order = change.order.clone();
                if order.status == Status::Placed {
                    self.orders.insert_at(At::Start, order);
                } else {
                    self.orders.update(order);
                }
//<<
