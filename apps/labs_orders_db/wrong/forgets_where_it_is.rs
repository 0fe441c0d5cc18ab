//! Names a line by its own list alone: in a list within a list, the mistake of one order is shown at another.
//!
//! test: behaviour::a_mistake_in_a_list_within_a_list_is_found_by_its_name
//! verdict: the way to the mistake
//>> items
        let mut items = Vec::with_capacity(sent.len());
        for (n, sent) in sent.iter().enumerate() {
            let path = format!("{field}[{n}].");
            let mut inner = Changeset { sent, path, errors: Vec::new() };
            items.push(item(&mut inner));
            self.errors.append(&mut inner.errors);
        }
        items.into_iter().collect()
//<<
