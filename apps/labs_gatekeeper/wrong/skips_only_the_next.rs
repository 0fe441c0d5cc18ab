//! Skips what needs the red check, and forgets what needs that: the gate waits for it for ever.
//!
//! test: behaviour::who_needs_what_is_red_is_skipped
//! verdict: the gate did not come to its end
//>> ended
        let green = verdict.is_green();
        self.states[place] = State::Done(verdict);
        if green {
            return Vec::new();
        }
        let because = self.checks[place].name.clone();
        for later in 0..self.checks.len() {
            let hopeless = self.checks[later].needs.contains(&place);
            if self.states[later] == State::Waiting && (hopeless || !self.keep_going) {
                self.states[later] = State::Done(Verdict::Skipped { because: because.clone() });
            }
        }
        if self.keep_going { Vec::new() } else { self.running().collect() }
//<<
