//! Counts those that run before it starts any, and not again.
//!
//! test: behaviour::the_first_red_ends_the_gate
//! verdict: checks that were run behind the first red one
//>> start
        let mut started = Vec::new();
        let running = self.running().count();
        for place in 0..self.checks.len() {
            let ready = self.states[place] == State::Waiting
                && self.checks[place].needs.iter().all(|&need| self.states[need] == State::Done(Verdict::Passed))
                && running < self.jobs
                && !self.is_locked(place);
            if ready {
                self.states[place] = State::Running;
                started.push(place);
            }
        }
        started
//<<
