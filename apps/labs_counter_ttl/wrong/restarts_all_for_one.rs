//! Restarts everybody when one crashes: the others lose what they knew.
//!
//! test: faults::a_crash_touches_no_sibling
//! verdict: a sibling was restarted for another one's crash
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
            lives.stop_all().await;
            return Outcome::GaveUp;
        }
        restarts.fetch_add(1, Ordering::Relaxed);
        lives.stop_all().await;
        for child in 0..lives.children.len() {
            lives.begin(child);
        }
    }
//<<
