//! Reads the exit code of a process that has none, and takes 0 for it.
//!
//! test: behaviour::a_check_that_was_killed_is_red
//! verdict: it was killed, and the verdict is
//>> judge
    match ending {
        Ending::Exited(0) => match figure.map(|figure| (figure.find(output), figure.least)) {
            Some((None, _)) => Verdict::NoFigure,
            Some((Some(found), least)) if found < least => Verdict::BelowFloor { found, least },
            _ => Verdict::Passed,
        },
        Ending::Exited(code) => Verdict::Failed { code: *code },
        Ending::Signalled(_) => Verdict::Passed,
        Ending::TimedOut => Verdict::TimedOut,
        Ending::Stopped => Verdict::Stopped,
        Ending::NotStarted(reason) => Verdict::NotStarted { reason: reason.clone() },
    }
//<<
