//! Takes the name, and only then waits for its turn: who gives up there takes those along who wait behind the name.
//!
//! test: faults::starters_that_give_up_in_masses_leave_no_dead_names
//! verdict: who waited for another one's start heard
//>> find_or_start
        if let Some(address) = self.registry.whereis(key) {
            return Ok(address);
        }
        let (address, post) = Address::new(self.limits.mailbox);
        let name = match self.registry.claim(key, &address) {
            Ok(name) => name,
            Err(faster) => return Ok(faster),
        };
        self.commands.send(Command::Start(name, post)).await.map_err(|_| Refused::Closing)?;
        Ok(address)
//<<
