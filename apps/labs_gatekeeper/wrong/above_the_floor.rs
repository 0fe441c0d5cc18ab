//! Asks for more than the floor, where as much will do.
//!
//! test: behaviour::a_figure_must_be_there_and_reach_its_floor
//! verdict: three of three
//>> judge
    match ending {
        Ending::Exited(0) => match figure.map(|figure| (figure.find(output), figure.least)) {
            Some((None, _)) => Verdict::NoFigure,
            Some((Some(found), least)) if found <= least => Verdict::BelowFloor { found, least },
            _ => Verdict::Passed,
        },
        Ending::Exited(code) => Verdict::Failed { code: *code },
        Ending::Signalled(signal) => Verdict::Killed { signal: *signal },
        Ending::TimedOut => Verdict::TimedOut,
        Ending::Stopped => Verdict::Stopped,
        Ending::NotStarted(reason) => Verdict::NotStarted { reason: reason.clone() },
    }
//<<
