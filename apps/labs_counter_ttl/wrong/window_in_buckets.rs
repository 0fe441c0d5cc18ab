//! Starts a new bucket each period: twice as many fit around its edge.
//!
//! test: behaviour::a_restart_counts_for_one_period
//! verdict: four restarts within five seconds, where three are allowed
//>> admit
        if self.recent.front().is_some_and(|first| now.duration_since(*first) >= self.intensity.period) {
            self.recent.clear();
        }
        if self.recent.len() >= self.intensity.restarts {
            return false;
        }
        self.recent.push_back(now);
        true
//<<
