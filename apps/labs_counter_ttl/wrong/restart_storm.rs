//! Lets it crash, and crash, and crash.
//!
//! test: faults::a_restart_storm_is_given_up
//! verdict: a restart storm
//>> supervise
    loop {
        let (child, crashed) = tokio::select! {
            biased;
            () = asked(&mut stop) => {
                lives.stop_all().await;
                return Outcome::Stopped;
            }
            ended = lives.next_end() => ended,
        };
        let wanted = match lives.children[child].restart {
            Restart::Permanent => true,
            Restart::Transient => crashed,
            Restart::Temporary => false,
        };
        if wanted {
            restarts.fetch_add(1, Ordering::Relaxed);
            lives.begin(child);
        }
    }
//<<
