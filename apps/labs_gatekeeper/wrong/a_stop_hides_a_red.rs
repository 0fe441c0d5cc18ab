//! Takes a stop in the third run for an answer, where the first one was red.
//!
//! test: behaviour::flaky_is_flaky_in_any_order
//! verdict: a stop does not undo what was seen before it
//>> agree
    if runs.contains(&Verdict::Stopped) {
        return Verdict::Stopped;
    }
    let green = runs.iter().filter(|run| run.is_green()).count();
    let count = |runs: usize| u32::try_from(runs).unwrap_or(u32::MAX);
    match runs.iter().find(|run| !run.is_green()) {
        None if runs.is_empty() => Verdict::NotStarted { reason: "it was run no times".to_owned() },
        None => Verdict::Passed,
        Some(_) if green > 0 => Verdict::Flaky { passed: count(green), runs: count(runs.len()) },
        Some(first) => first.clone(),
    }
//<<
