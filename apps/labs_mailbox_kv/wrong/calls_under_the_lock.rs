//! Tells of an end that was there before, and holds the lock of the process meanwhile.
//!
//! test: faults::a_watcher_may_ask_a_process_that_has_ended
//! verdict: a lock is held while it runs
//>> monitor
        match &mut *self.state() {
            State::Running(watchers) => watchers.push(Box::new(watcher)),
            State::Ended(exit) => watcher(Down { id: self.id(), exit: *exit }),
        }
//<<
