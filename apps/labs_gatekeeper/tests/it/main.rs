//! `gatekeeper` as a user runs it: what is no gate.

#![expect(clippy::unwrap_used, reason = "a test stops where it can not go on")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn gatekeeper(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_labs_gatekeeper"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Exit code, and all that it printed.
fn end_of(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

fn folder(plan: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gate.toml"), plan).unwrap();
    folder
}

#[test]
fn the_plan_of_this_lab_finds_its_planted_mistakes() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir().unwrap();
    let (json, junit) = (scratch.path().join("r.json"), scratch.path().join("r.xml"));
    let (json, junit) = (json.to_str().unwrap(), junit.to_str().unwrap());
    let (code, text) = end_of(gatekeeper(here, &["--keep-going", "--json", json, "--junit", junit]));
    assert_eq!(code, 1, "{text}");
    for line in [
        "ok  format passed",
        "RED lint failed with exit code 3",
        "RED no-tests reached 0",
        "RED coverage reached 75",
        "RED hangs took too long",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(std::fs::read_to_string(json).unwrap().contains("\"verdict\": \"timed_out\""));
    assert!(std::fs::read_to_string(junit).unwrap().contains("type=\"below_floor\""));
}

#[test]
fn the_plan_of_this_repository_makes_sense() {
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/gate.toml");
    let (code, text) = end_of(gatekeeper(Path::new("/"), &["--plan", plan.to_str().unwrap(), "--list"]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("cargo clippy --workspace"), "{text}");
}

#[test]
fn a_plan_that_makes_no_sense_is_refused_with_a_reason() {
    let plan = |text: &str| end_of(gatekeeper(folder(text).path(), &[]));
    let check = "[[check]]\nname = \"a\"\nrun = [\"true\"]\n";
    for (text, reason) in [
        (String::new(), "there is no check"),
        (format!("{check}secnods = 3\n"), "secnods"),
        (format!("{check}{check}"), "two checks are called a"),
        (format!("{check}needs = [\"b\"]\n"), "which does not stand above it"),
        (format!("{check}seconds = 0\n"), "must be above 0"),
        (format!("{check}seconds = -1\n"), "must be above 0"),
        ("[[check]]\nname = \"a\"\nrun = []\n".to_owned(), "runs nothing"),
        ("[[check]\n".to_owned(), "line 1"),
    ] {
        let (code, said) = plan(&text);
        assert_eq!(code, 2, "{text}: {said}");
        assert!(said.contains(reason), "{reason:?} is missing in {said}");
    }
    let (code, said) = end_of(gatekeeper(folder(check).path(), &["b"]));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("has no check b: it has a"), "{said}");
    let (code, said) = end_of(gatekeeper(tempfile::tempdir().unwrap().path(), &[]));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("name the plan with --plan"), "{said}");
}

#[test]
fn a_named_check_runs_with_what_it_needs() {
    let plan = "[[check]]\nname = \"a\"\nrun = [\"false\"]\n\n[[check]]\nname = \"b\"\nrun = [\"true\"]\n\n\
                [[check]]\nname = \"c\"\nrun = [\"true\"]\nneeds = [\"b\"]\n";
    let (code, text) = end_of(gatekeeper(folder(plan).path(), &["c"]));
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("2 of 2 checks are green"), "{text}");
}

#[test]
fn ctrl_c_ends_the_checks_too() {
    let plan = "[[check]]\nname = \"a\"\nrun = [\"sh\", \"-c\", \"echo $$ > id; exec sleep 1000\"]\n";
    let folder = folder(plan);
    let mut child = gatekeeper(folder.path(), &[]);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let id = loop {
        let id = std::fs::read_to_string(folder.path().join("id")).unwrap_or_default();
        if id.ends_with('\n') {
            break id;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    output.read_to_string(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{line}");
    assert!(line.contains("a was stopped"), "{line}");
    let alive =
        Command::new("kill").args(["-0", id.trim()]).stderr(Stdio::null()).status().unwrap().success();
    assert!(!alive, "process {id} was left running");
}
