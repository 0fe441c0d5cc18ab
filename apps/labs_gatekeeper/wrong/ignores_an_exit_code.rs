//! Knows 0 and 1, as its author's tools do.
//!
//! test: behaviour::an_exit_code_is_not_ignored
//! verdict: it ended with 2, and the verdict is
//>> judge
    match ending {
        Ending::Exited(0) => match figure.map(|figure| (figure.find(output), figure.least)) {
            Some((None, _)) => Verdict::NoFigure,
            Some((Some(found), least)) if found < least => Verdict::BelowFloor { found, least },
            _ => Verdict::Passed,
        },
        Ending::Exited(1) => Verdict::Failed { code: 1 },
        Ending::Exited(_) => Verdict::Passed,
        Ending::Signalled(signal) => Verdict::Killed { signal: *signal },
        Ending::TimedOut => Verdict::TimedOut,
        Ending::Stopped => Verdict::Stopped,
        Ending::NotStarted(reason) => Verdict::NotStarted { reason: reason.clone() },
    }
//<<
