//! Closes one session after the other.
//!
//! test: behaviour::a_shutdown_lets_everybody_close
//! verdict: a thousand close in the second that one takes
//>> shutdown
        let deadline = Instant::now() + grace;
        let ids: Vec<Id> = self.workers.keys().copied().collect();
        for id in ids {
            if let Some(worker) = self.workers.get(&id) {
                worker.stop.notify_one();
            }
            while self.workers.contains_key(&id) {
                let Ok(Some(joined)) = timeout_at(deadline, self.running.join_next_with_id()).await else { break };
                match &joined {
                    Ok(_) => report.ended += 1,
                    Err(_) => report.aborted += 1,
                }
                self.joined(joined);
            }
        }
        self.running.abort_all();
        while let Some(joined) = self.running.join_next_with_id().await {
            report.aborted += 1;
            self.joined(joined);
        }
        report
//<<
