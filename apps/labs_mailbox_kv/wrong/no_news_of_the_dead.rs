//! Notes the monitor and forgets that the process may have ended already.
//!
//! test: laws::a_monitor_hears_exactly_once
//! verdict: a monitor hears of the end, and once
//>> monitor
        if let State::Running(watchers) = &mut *self.state() {
            watchers.push(Box::new(watcher));
        }
//<<
