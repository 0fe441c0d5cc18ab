//! Puts every changed order at the top: the page is no longer the newest orders.
//!
//! test: behaviour::an_order_that_has_scrolled_out_stays_out
//! verdict: order 1 is back on the page
//>> show
                if change.version <= self.version {
                    return;
                }
                self.version = change.version;
                self.orders.insert_at(At::Start, change.order.clone());
//<<
