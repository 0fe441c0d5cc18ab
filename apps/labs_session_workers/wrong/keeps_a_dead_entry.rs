//! Leaves the entry to whoever comes next.
//!
//! test: behaviour::a_key_is_given_once_and_free_again
//! verdict: its holder is gone, and the key still has an entry
//>> release
        let _ = &self.key;
//<<
