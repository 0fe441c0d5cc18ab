//! Counts the restarts of a whole life.
//!
//! test: behaviour::a_restart_counts_for_one_period
//! verdict: the first one counts no more after five seconds
//>> admit
        self.recent.push_back(now);
        self.recent.len() <= self.intensity.restarts
//<<
