//! Encodes the change for each listener by itself, as a loop over the sockets does.
//!
//! test: budget::a_change_is_encoded_once_for_all
//! verdict: bytes allocated a listener
//>> change
        let mut book = self.book.lock();
        let change = act(&mut book)?;
        let order = change.order.clone();
        let listeners = self.programs.broadcast(FEED, CHANGED, json!(change)).unwrap_or(0);
        let encoded: Vec<String> = (0..listeners).map(|_| json!(change).to_string()).collect();
        tracing::debug!(bytes = encoded.concat().len(), "told");
        self.bus.publish(&Orders, change);
        Ok(order)
//<<
