//! Kills what could have put things in order.
//!
//! test: faults::who_listens_may_clean_up
//! verdict: it was killed before it could clean up
//>> wait
    let ending = match news.recv_timeout(limits.time) {
        Ok(News::Ended) => None,
        Ok(News::Stop) => Some(Ending::Stopped),
        Err(_) => Some(Ending::TimedOut),
    };
    if ending.is_some() {
    }
    group.kill();
    ending
//<<
