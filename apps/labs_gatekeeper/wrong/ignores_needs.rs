//! Starts whatever there is a job for.
//!
//! test: behaviour::who_needs_what_is_red_is_skipped
//! verdict: nothing that needs the build was run
//>> start
        let mut started = Vec::new();
        for place in 0..self.checks.len() {
            let ready = self.states[place] == State::Waiting
                && self.running().count() < self.jobs
                && !self.is_locked(place);
            if ready {
                self.states[place] = State::Running;
                started.push(place);
            }
        }
        started
//<<
