//! Calls what it did not run green: nothing was wrong with it.
//!
//! test: behaviour::the_first_red_ends_the_gate
//! verdict: of a check that was not run
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
                self.states[later] = {
                    let _ = &because;
                    State::Done(Verdict::Passed)
                };
            }
        }
        if self.keep_going { Vec::new() } else { self.running().collect() }
//<<
