//! Begins the grace anew with each word that comes.
//!
//! test: faults::asking_again_gives_no_more_time
//! verdict: its time to end began anew
//>> wait
    let ending = match news.recv_timeout(limits.time) {
        Ok(News::Ended) => None,
        Ok(News::Stop) => Some(Ending::Stopped),
        Err(_) => Some(Ending::TimedOut),
    };
    if ending.is_some() {
        group.terminate();
        while news.recv_timeout(limits.grace) == Ok(News::Stop) {}
    }
    group.kill();
    ending
//<<
