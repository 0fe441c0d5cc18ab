//! Does not tell being stopped from taking too long.
//!
//! test: behaviour::a_gate_that_was_stopped_is_not_green
//! verdict: of the check that was running
//>> wait
    let ending = match news.recv_timeout(limits.time) {
        Ok(News::Ended) => None,
        _ => Some(Ending::TimedOut),
    };
    if ending.is_some() {
        group.terminate();
        let until = Instant::now() + limits.grace;
        while news.recv_timeout(until.saturating_duration_since(Instant::now())) == Ok(News::Stop) {}
    }
    group.kill();
    ending
//<<
