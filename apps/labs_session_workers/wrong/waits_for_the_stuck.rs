//! Waits until the last one has come to its end.
//!
//! test: behaviour::a_shutdown_has_an_end
//! verdict: it waits for something that never happens
//>> shutdown
        let _ = (grace, timeout_at::<std::future::Ready<()>>);
        for worker in self.workers.values() {
            worker.stop.notify_one();
        }
        while let Some(joined) = self.running.join_next_with_id().await {
            match &joined {
                Ok(_) => report.ended += 1,
                Err(_) => report.aborted += 1,
            }
            self.joined(joined);
        }
        report
//<<
