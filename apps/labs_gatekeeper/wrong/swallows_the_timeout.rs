//! Ends what hangs, and then believes what it says of itself.
//!
//! test: faults::a_timeout_can_not_be_swallowed
//! verdict: it was ended by the gate, said 0
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
    group.kill();
    if ending == Some(Ending::TimedOut) { None } else { ending }
//<<
