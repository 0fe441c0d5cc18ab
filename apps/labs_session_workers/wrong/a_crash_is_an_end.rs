//! Counts whoever is gone as closed: a report after a bad shutdown says that all is well.
//!
//! test: behaviour::who_crashes_on_the_way_out_is_not_counted_as_closed
//! verdict: eight have closed, two have crashed meanwhile
//>> shutdown
        let deadline = Instant::now() + grace;
        for worker in self.workers.values() {
            worker.stop.notify_one();
        }
        while let Ok(Some(joined)) = timeout_at(deadline, self.running.join_next_with_id()).await {
            report.ended += 1;
            self.joined(joined);
        }
        self.running.abort_all();
        while let Some(joined) = self.running.join_next_with_id().await {
            report.aborted += 1;
            self.joined(joined);
        }
        report
//<<
