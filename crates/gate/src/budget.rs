//! A lab's budgets, from its `lab.toml`.
//!
//! **Invariant.** A limit stands in one place: where the learner reads it is where the gate reads it.

/// A limit from the section `[budgets]`: `limit(include_str!("../lab.toml"), "allocations")`.
///
/// Panics if it is not there.
///
/// ```
/// let lab = "title = \"…\"\n\n[budgets]\nallocations = 3 # for one message\n";
/// assert_eq!(gate::limit(lab, "allocations"), 3.0);
/// ```
pub fn limit(lab_toml: &str, name: &str) -> f64 {
    let lines = lab_toml.lines().skip_while(|line| line.trim() != "[budgets]").skip(1);
    let found = lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == name)
        .and_then(|(_, value)| value.split('#').next()?.trim().replace('_', "").parse().ok());
    found.unwrap_or_else(|| panic!("lab.toml has no number {name} under [budgets]"))
}
