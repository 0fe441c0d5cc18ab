//! Takes a crash for an end like any other and waits until somebody asks.
//!
//! test: faults::a_crash_now_and_then_is_forgiven
//! verdict: crashes two seconds apart are forgiven
//>> ended
        if let Ended::NotOpened(OpenError(why)) = ended {
            let Worker { name, end, .. } = worker;
            drop(name);
            end.send_replace(End::NotOpened(why));
        }
//<<
