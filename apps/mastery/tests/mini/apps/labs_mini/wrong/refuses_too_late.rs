//! Adds, and then looks.
//!
//! test: behaviour::what_was_refused_is_not_there
//! verdict: the pot was refused
//>> put
        self.things.push(thing.to_owned());
        if self.things.len() > self.most { Err(Full) } else { Ok(()) }
//<<
