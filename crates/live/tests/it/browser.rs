//! The official clients in a real browser, against the example `tour`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What must pass; a check that is not here is a check that nobody would miss.
const CHECKS: usize = 30;

#[test]
fn the_official_clients_in_a_real_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
    let installed = folder.join("node_modules/playwright-core").exists();
    assert!(installed, "tests/browser has no clients yet: `sh tools/setup.sh test` installs them");
    let output =
        Command::new("node").arg("checks.mjs").arg(tour()).current_dir(&folder).output().unwrap_or_else(
            |error| panic!("node can't be started ({error}): `sh tools/setup.sh test` installs it"),
        );
    let report = String::from_utf8_lossy(&output.stdout);
    let passed = report.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(
        output.status.success() && passed == CHECKS,
        "{passed} of {CHECKS} checks passed\n{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The example, which cargo builds beside the tests.
fn tour() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let tour = here.parent().unwrap().parent().unwrap().join("examples/tour");
    assert!(tour.exists(), "{} is missing: `cargo build -p live --example tour`", tour.display());
    tour
}
