//! Looks for the figure before it looks at the end: a build that failed is said to lack a count.
//!
//! test: laws::only_success_is_green
//! verdict: a figure is asked for only where all else is well
//>> judge
    if let Some(figure) = figure {
        match figure.find(output) {
            None => return Verdict::NoFigure,
            Some(found) if found < figure.least => return Verdict::BelowFloor { found, least: figure.least },
            Some(_) => {}
        }
    }
    match ending {
        Ending::Exited(0) => Verdict::Passed,
        Ending::Exited(code) => Verdict::Failed { code: *code },
        Ending::Signalled(signal) => Verdict::Killed { signal: *signal },
        Ending::TimedOut => Verdict::TimedOut,
        Ending::Stopped => Verdict::Stopped,
        Ending::NotStarted(reason) => Verdict::NotStarted { reason: reason.clone() },
    }
//<<
