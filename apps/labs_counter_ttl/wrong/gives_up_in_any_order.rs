//! Stops all at once when it gives up: one that needs another is left without it.
//!
//! test: faults::a_restart_storm_is_given_up
//! verdict: it gives up in order, too
//>> supervise
    let mut window = Window::new(intensity);
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
        if !wanted {
            continue;
        }
        if !window.admit(Instant::now()) {
            for (_, stop) in lives.whose.values() {
                stop.send_replace(true);
            }
            while lives.running.join_next().await.is_some() {}
            return Outcome::GaveUp;
        }
        restarts.fetch_add(1, Ordering::Relaxed);
        lives.begin(child);
    }
//<<
