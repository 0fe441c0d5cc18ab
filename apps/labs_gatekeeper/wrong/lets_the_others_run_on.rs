//! Starts nothing more after a red check, and waits for the half hour that is still running.
//!
//! test: laws::a_schedule_keeps_its_rules_and_ends
//! verdict: are to be stopped, and
//>> ended
        let green = verdict.is_green();
        self.states[place] = State::Done(verdict);
        if green {
            return Vec::new();
        }
        let because = self.checks[place].name.clone();
        for later in 0..self.checks.len() {
            let hopeless = self.checks[later].needs.iter().any(|&need| self.is_lost(need));
            if self.states[later] == State::Waiting && (hopeless || !self.keep_going) {
                self.states[later] = State::Done(Verdict::Skipped { because: because.clone() });
            }
        }
        Vec::new()
//<<
