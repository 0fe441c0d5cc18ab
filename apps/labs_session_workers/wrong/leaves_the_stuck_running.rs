//! Reports whom it could not stop, and leaves them running.
//!
//! test: behaviour::a_shutdown_has_an_end
//! verdict: its worker was aborted
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
        report.aborted += self.workers.len();
        report
//<<
