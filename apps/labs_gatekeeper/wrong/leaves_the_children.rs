//! Is content when the process itself has ended.
//!
//! test: faults::what_is_left_behind_is_ended
//! verdict: was left running
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
    if ending.is_some() {
        group.kill();
    }
    ending
//<<
