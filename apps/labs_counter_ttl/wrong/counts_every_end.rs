//! Counts every end as a restart, also of those whom nobody wants back.
//!
//! test: behaviour::an_end_that_wants_no_restart_does_not_count
//! verdict: it gave up for the end of a child that nobody wants back
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
        if !window.admit(Instant::now()) {
            lives.stop_all().await;
            return Outcome::GaveUp;
        }
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
