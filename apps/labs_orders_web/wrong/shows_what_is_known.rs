//! Shows every change that it is told, the old ones, too: a late one takes the page back.
//!
//! test: faults::what_happened_between_listening_and_reading_is_shown_once
//! verdict: right: ["packed"]
//>> show
                self.version = change.version;
                let order = change.order.clone();
                if order.status == Status::Placed {
                    self.orders.insert_at(At::Start, order);
                } else {
                    self.orders.update(order);
                }
//<<
