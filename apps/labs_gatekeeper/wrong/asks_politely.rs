//! Asks it to end, and leaves it at that.
//!
//! test: faults::who_does_not_listen_is_killed
//! verdict: the gate did not come to its end
//>> wait
    let ending = match news.recv_timeout(limits.time) {
        Ok(News::Ended) => None,
        Ok(News::Stop) => Some(Ending::Stopped),
        Err(_) => Some(Ending::TimedOut),
    };
    if ending.is_some() {
        group.terminate();
        let until = Instant::now() + limits.grace;
        while news.recv_timeout(until.saturating_duration_since(Instant::now())) == Ok(News::Stop) {}
    }
    if ending.is_none() {
        group.kill();
    }
    ending
//<<
