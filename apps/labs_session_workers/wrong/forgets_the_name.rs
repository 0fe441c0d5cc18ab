//! Takes the name without its guard: a starter that is dropped leaves the entry behind.
//!
//! test: faults::starters_that_give_up_in_masses_leave_no_dead_names
//! verdict: who waited for another one's start heard
//>> find_or_start
        if let Some(address) = self.registry.whereis(key) {
            return Ok(address);
        }
        let (address, post) = Address::new(self.limits.mailbox);
        let name = match self.registry.claim(key, &address) {
            Ok(name) => std::mem::ManuallyDrop::new(name),
            Err(faster) => return Ok(faster),
        };
        let place = self.commands.reserve().await.map_err(|_| Refused::Closing)?;
        place.send(Command::Start(std::mem::ManuallyDrop::into_inner(name), post));
        Ok(address)
//<<
