//! Starts the patience anew with every message: a trickle puts the write off for ever.
//!
//! test: behaviour::a_trickle_does_not_put_the_write_off
//! verdict: the first message waited for the later ones
//>> push
        self.due = Some(now + self.patience);
        self.held.push(item);
        if self.held.len() >= self.size { self.flush() } else { None }
//<<
