//! Stops at the first line that is wrong: five mistakes are five round trips.
//!
//! test: behaviour::everything_that_is_wrong_is_named_at_once
//! verdict: what is wrong, and where
//>> items
        let mut items = Vec::with_capacity(sent.len());
        for (n, sent) in sent.iter().enumerate() {
            let path = format!("{}[{n}].", self.at(field));
            let mut inner = Changeset { sent, path, errors: Vec::new() };
            let checked = item(&mut inner);
            self.errors.append(&mut inner.errors);
            items.push(checked?);
        }
        Some(items)
//<<
