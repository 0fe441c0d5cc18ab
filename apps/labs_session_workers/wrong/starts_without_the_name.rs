//! Looks, finds nobody, and takes the name by force when the time has come to start.
//!
//! test: behaviour::two_first_uses_start_one_worker
//! verdict: two workers for one key
//>> find_or_start
        if let Some(address) = self.registry.whereis(key) {
            return Ok(address);
        }
        let place = self.commands.reserve().await.map_err(|_| Refused::Closing)?;
        tokio::task::yield_now().await;
        let (address, post) = Address::new(self.limits.mailbox);
        let name = match self.registry.claim(key, &address) {
            Ok(name) => name,
            Err(_) => {
                self.registry.evict(key);
                match self.registry.claim(key, &address) {
                    Ok(name) => name,
                    Err(faster) => return Ok(faster),
                }
            }
        };
        place.send(Command::Start(name, post));
        Ok(address)
//<<
