//! Two tabs of a real browser, with the official clients, before the built desk.

use std::path::Path;
use std::process::Command;

/// What must pass; a check that is not here is a check that nobody would miss.
const CHECKS: usize = 5;

#[test]
fn two_tabs_in_a_real_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
    let installed = folder.join("node_modules/playwright-core").exists();
    assert!(installed, "tests/browser has no clients yet: `sh tools/setup.sh test` installs them");
    let output = Command::new("node")
        .args(["desk.mjs", env!("CARGO_BIN_EXE_labs_orders_web")])
        .current_dir(&folder)
        .output()
        .unwrap_or_else(|error| {
            panic!("node can't be started ({error}): `sh tools/setup.sh test` installs it")
        });
    let report = String::from_utf8_lossy(&output.stdout);
    let passed = report.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(
        output.status.success() && passed == CHECKS,
        "{passed} of {CHECKS} checks passed\n{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
