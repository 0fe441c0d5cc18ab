//! Counts the restart, and asks then whether it is allowed.
//!
//! test: faults::a_restart_storm_is_given_up
//! verdict: the one that was refused is no restart
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
        restarts.fetch_add(1, Ordering::Relaxed);
        if !window.admit(Instant::now()) {
            lives.stop_all().await;
            return Outcome::GaveUp;
        }
        lives.begin(child);
    }
//<<
