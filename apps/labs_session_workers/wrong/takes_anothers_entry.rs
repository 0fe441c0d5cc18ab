//! Frees its key, whoever has it by now.
//!
//! test: behaviour::a_name_frees_its_own_entry_alone
//! verdict: a name took another one's entry with it
//>> release
        self.registry.write().remove(&self.key);
//<<
