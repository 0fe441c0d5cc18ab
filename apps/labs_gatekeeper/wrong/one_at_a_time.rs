//! Starts one check, and waits for it: right, and as slow as a shell script.
//!
//! test: laws::no_job_is_idle_while_a_check_could_run
//! verdict: could run beside
//>> start
        let mut started = Vec::new();
        for place in 0..self.checks.len() {
            let ready = self.states[place] == State::Waiting
                && self.checks[place].needs.iter().all(|&need| self.states[need] == State::Done(Verdict::Passed))
                && self.running().count() == 0
                && !self.is_locked(place);
            if ready {
                self.states[place] = State::Running;
                started.push(place);
            }
        }
        started
//<<
