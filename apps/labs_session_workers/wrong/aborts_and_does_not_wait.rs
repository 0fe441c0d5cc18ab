//! Aborts the rest, and is gone before they are.
//!
//! test: behaviour::a_shutdown_has_one_end_for_all
//! verdict: and who was aborted still runs
//>> shutdown
        let deadline = Instant::now() + grace;
        for worker in self.workers.values() {
            worker.stop.notify_one();
        }
        while let Ok(Some(joined)) = timeout_at(deadline, self.running.join_next_with_id()).await {
            match &joined {
                Ok(_) => report.ended += 1,
                Err(_) => report.aborted += 1,
            }
            self.joined(joined);
        }
        report.aborted += self.running.len();
        self.running.abort_all();
        self.workers.clear();
        report
//<<
