//! Lets two checks with the same lock run side by side.
//!
//! test: laws::a_schedule_keeps_its_rules_and_ends
//! verdict: two that run have the same lock
//>> start
        let mut started = Vec::new();
        for place in 0..self.checks.len() {
            let ready = self.states[place] == State::Waiting
                && self.checks[place].needs.iter().all(|&need| self.states[need] == State::Done(Verdict::Passed))
                && self.running().count() < self.jobs;
            if ready {
                self.states[place] = State::Running;
                started.push(place);
            }
        }
        started
//<<
