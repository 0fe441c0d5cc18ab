//! Lets the majority of the runs decide.
//!
//! test: behaviour::a_planted_flaky_test_is_found
//! verdict: one of five runs failed, and the verdict is Passed
//>> agree
    if runs.contains(&Verdict::Stopped) {
        return Verdict::Stopped;
    }
    let green = runs.iter().filter(|run| run.is_green()).count();
    let count = |runs: usize| u32::try_from(runs).unwrap_or(u32::MAX);
    match runs.iter().find(|run| !run.is_green()) {
        None if runs.is_empty() => Verdict::NotStarted { reason: "it was run no times".to_owned() },
        None => Verdict::Passed,
        Some(_) if green * 2 > runs.len() => Verdict::Passed,
        Some(_) if green > 0 => Verdict::Flaky { passed: count(green), runs: count(runs.len()) },
        Some(first) => first.clone(),
    }
//<<
