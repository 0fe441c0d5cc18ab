//! The whole shop in a real browser, with the official clients: every page is looked at, people buy, things go wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What must pass; a check that is not here is a check that nobody would miss.
const PAGES: usize = 41;
const LIFE: usize = 32;

#[test]
fn every_page_on_phone_and_desktop_in_light_and_dark() {
    let pictures = screenshots();
    eprintln!("pictures of every page: {}", pictures.display());
    let folder = pictures.to_string_lossy();
    check(&["pages", &folder], PAGES);
}

#[test]
fn people_buy_and_things_go_wrong() {
    check(&["life"], LIFE);
}

/// Runs a suite of tests/browser before the built program.
fn check(suite: &[&str], wanted: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
    let installed = folder.join("node_modules/axe-core").exists();
    assert!(installed, "tests/browser has no clients yet: `sh tools/setup.sh test` installs them");
    let output = Command::new("node")
        .args(["shop.mjs", env!("CARGO_BIN_EXE_pulse")])
        .args(suite)
        .current_dir(&folder)
        .output()
        .unwrap_or_else(|error| {
            panic!("node can't be started ({error}): `sh tools/setup.sh test` installs it")
        });
    let report = String::from_utf8_lossy(&output.stdout);
    eprint!("{report}");
    let passed = report.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(
        output.status.success() && passed == wanted,
        "{passed} of {wanted} checks passed\n{report}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// `target/screenshots`, wherever target is.
fn screenshots() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary.parent().unwrap_or(temporary).join("screenshots")
}
