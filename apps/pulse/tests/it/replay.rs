//! A replay that is killed again and again ends with the same report.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pulse_data::Backend;
use serde_json::Value;

use crate::program::{Place, finish, on_both};

fn sample() -> (Vec<PathBuf>, Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pulse_ingest/tests/data");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "csv"))
        .collect();
    files.sort();
    let expected = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    (files, expected["report"].clone())
}

on_both! {
    a_replay_killed_again_and_again_ends_with_the_same_report => killed;
}

fn killed(backend: Backend) {
    let (files, expected) = sample();
    let place = Place::new(backend);
    place.run(&["migrate", "up"]).succeeded();
    let mut kills = 0;
    // Each run goes on where the last one was cut; the delays spread the kills over the whole way.
    for delay in [60, 120, 250, 90, 400, 180] {
        let mut child = place
            .command()
            .arg("replay")
            .args(&files)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        if child.try_wait().unwrap().is_none() {
            kills += 1;
        }
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(kills > 0, "every run was over before its kill: make the sample larger");
    let paths: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let arguments: Vec<&str> = ["replay"].into_iter().chain(paths.iter().copied()).collect();
    let done = place.run(&arguments).succeeded();
    assert!(done.stdout.starts_with("replayed "), "{done:?}");
    let report = place.run(&["report", "--json"]).succeeded().stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(report.get(key), Some(value), "{key}");
    }
    assert_eq!(report.as_object().unwrap().len(), expected.as_object().unwrap().len());
    let again = place.run(&arguments).succeeded().stdout;
    assert!(again.contains(&format!("0 file(s), {} known before", files.len())), "{again}");
    let verified = place.run(&["audit", "verify"]).succeeded().stdout;
    assert!(verified.contains(", 0 not sealed yet"), "{verified}");
    let table = place.run(&["report"]).succeeded().stdout;
    assert!(table.contains("sales by month"), "{table}");
}

#[test]
fn a_file_that_is_not_there_is_told_before_anything_is_opened() {
    let place = Place::sqlite();
    let refused = place.run(&["replay", "nowhere.csv"]).failed_with(1);
    assert!(refused.complaint().contains("nowhere.csv"), "{refused:?}");
    assert!(!place.folder().join("shop.db").exists());
}

#[test]
fn the_demo_page_does_what_it_says() {
    let page = include_str!("../../../../docs/demos/half-a-year.md");
    let script: String = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(script.contains("pulse replay") && script.contains("pulse audit verify"), "{script}");
    let place = Place::sqlite();
    let retail = place.folder().join("retail");
    std::fs::create_dir(&retail).unwrap();
    let (files, expected) = sample();
    for file in &files {
        std::fs::copy(file, retail.join(file.file_name().unwrap())).unwrap();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_pulse")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    place.settle(&mut command);
    finish(command.env("PATH", path).args(["-e", "-c", &script])).succeeded();
    let report = std::fs::read_to_string(place.folder().join("twice.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(report.get(key), Some(value), "{key}");
    }
}
