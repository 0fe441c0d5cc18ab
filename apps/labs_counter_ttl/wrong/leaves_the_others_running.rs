//! Gives up, and leaves the siblings to themselves.
//!
//! test: faults::a_restart_storm_is_given_up
//! verdict: a supervisor that gives up leaves nobody running
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
            lives.running.detach_all();
            std::mem::forget(lives);
            return Outcome::GaveUp;
        }
        restarts.fetch_add(1, Ordering::Relaxed);
        lives.begin(child);
    }
//<<
