//! Which room may name which: the arrows of docs/architecture.md, checked on the manifests.
//!
//! **Invariant.** `crates/` never depend on `apps/`, labs and Pulse never on each other, and inside Pulse every arrow
//! points down.

use std::path::Path;

use super::Finding;

/// Pulse's rooms from the top down; a room may depend on those below it. `pulse_obs` is beside them all.
const ROOMS: [&str; 9] = [
    "pulse",
    "pulse_web",
    "pulse_ingest",
    "pulse_jobs",
    "pulse_fleet",
    "pulse_cart",
    "pulse_cache",
    "pulse_data",
    "pulse_core",
];

/// What the rooms with the strictest walls must not name, and why.
const WALLS: [(&str, &[&str], &str); 3] = [
    (
        "pulse_core",
        &["tokio", "axum", "sea-orm", "sqlx", "rand", "tracing"],
        "the core has no I/O, runtime, clock or randomness",
    ),
    ("pulse_web", &["sea-orm", "sqlx", "rusqlite"], "the web room never names SQL"),
    ("pulse_data", &["axum", "hyper", "http", "tower-http"], "the data room never names HTTP"),
];

/// Adds what is wrong with one manifest.
pub(crate) fn check(file: &Path, text: &str, findings: &mut Vec<Finding>) {
    let folder = file.parent().unwrap_or(Path::new(""));
    let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { return };
    let mut section = "";
    let mut inherits_lints = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
        }
        inherits_lints |= section == "[lints]" && line.replace(' ', "") == "workspace=true";
        let dependency = line.split(['.', '=', ' ']).next().unwrap_or_default();
        if !section.ends_with("dependencies]") || dependency.is_empty() || dependency.starts_with(['[', '#'])
        {
            continue;
        }
        if let Some(advice) = forbidden(folder, name, dependency, section == "[dev-dependencies]") {
            findings.push(Finding::new(file, number + 1, advice));
        }
    }
    // A manifest of a workspace alone has no code.
    let is_package = !text.lines().any(|line| line == "[workspace]");
    if is_package && !inherits_lints {
        findings.push(Finding::new(file, 1, "inherit the lints: [lints] workspace = true"));
    }
}

/// Why `name` may not depend on `dependency`, if so. Tests may reach for rooms beside them.
fn forbidden(folder: &Path, name: &str, dependency: &str, in_tests: bool) -> Option<String> {
    let app = |name: &str| name.starts_with("pulse") || name.starts_with("labs_") || name == "mastery";
    if folder.starts_with("crates") && app(dependency) {
        return Some(format!("crates/ never depend on apps/: take {dependency} out"));
    }
    if name.starts_with("labs_") && app(dependency)
        || name.starts_with("pulse") && dependency.starts_with("labs_")
    {
        return Some(format!("labs and Pulse never depend on each other: take {dependency} out"));
    }
    if dependency == "pulse_obs" && name != "pulse" {
        return Some(
            "only the binary depends on pulse_obs; use the tracing facade or a stats struct".to_owned(),
        );
    }
    if in_tests {
        return None;
    }
    if let Some((.., why)) =
        WALLS.iter().find(|(room, walls, _)| *room == name && walls.contains(&dependency))
    {
        return Some(format!("take {dependency} out: {why}"));
    }
    let place = |room| ROOMS.iter().position(|known| *known == room);
    match (place(name), place(dependency)) {
        (Some(from), Some(to)) if to <= from => {
            Some(format!("arrows point down: {name} may not depend on {dependency}"))
        }
        _ => None,
    }
}
