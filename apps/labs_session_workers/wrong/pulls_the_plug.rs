//! Aborts everybody at once: nothing is handled to its end, and nothing closed.
//!
//! test: behaviour::a_shutdown_lets_everybody_close
//! verdict: a thousand close in the second that one takes
//>> shutdown
        let _ = (grace, timeout_at::<std::future::Ready<()>>);
        self.running.abort_all();
        while let Some(joined) = self.running.join_next_with_id().await {
            report.ended += 1;
            self.joined(joined);
        }
        report
//<<
