//! Begins the grace anew with each who has closed.
//!
//! test: behaviour::a_shutdown_has_one_end_for_all
//! verdict: five seconds for all, and not for each
//>> shutdown
        for worker in self.workers.values() {
            worker.stop.notify_one();
        }
        while let Ok(Some(joined)) = tokio::time::timeout(grace, self.running.join_next_with_id()).await {
            match &joined {
                Ok(_) => report.ended += 1,
                Err(_) => report.aborted += 1,
            }
            self.joined(joined);
        }
        self.running.abort_all();
        while let Some(joined) = self.running.join_next_with_id().await {
            report.aborted += 1;
            self.joined(joined);
        }
        report
//<<
