//! Counts each child's crashes for itself: many children that crash in turn are no storm to it.
//!
//! test: faults::crashes_of_several_children_add_up
//! verdict: six crashes within five seconds, of six children, and five are allowed
//>> supervise
    let mut windows: HashMap<usize, Window> = HashMap::new();
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
        let own = windows.entry(child).or_insert_with(|| Window::new(intensity));
        if !own.admit(Instant::now()) {
            lives.stop_all().await;
            return Outcome::GaveUp;
        }
        restarts.fetch_add(1, Ordering::Relaxed);
        lives.begin(child);
    }
//<<
