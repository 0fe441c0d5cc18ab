//! Forgets the bound.
//!
//! test: behaviour::a_full_shelf_takes_no_more
//! verdict: it holds one, and may hold one
//>> put
        self.things.push(thing.to_owned());
        Ok(())
//<<
