//! Takes a figure that is not there for one that is large enough: no tests, no failures.
//!
//! test: behaviour::a_figure_must_be_there_and_reach_its_floor
//! verdict: no count was printed, and the verdict is
//>> judge
    match ending {
        Ending::Exited(0) => match figure.map(|figure| (figure.find(output), figure.least)) {
            Some((Some(found), least)) if found < least => Verdict::BelowFloor { found, least },
            _ => Verdict::Passed,
        },
        Ending::Exited(code) => Verdict::Failed { code: *code },
        Ending::Signalled(signal) => Verdict::Killed { signal: *signal },
        Ending::TimedOut => Verdict::TimedOut,
        Ending::Stopped => Verdict::Stopped,
        Ending::NotStarted(reason) => Verdict::NotStarted { reason: reason.clone() },
    }
//<<
