//! Templates that must not compile, and where rustc points.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// This crate as the test was linked with it: the newest of its builds beside the test.
fn library(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let ours = entries.filter(|path| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("liblive-") && path.extension().is_some_and(|kind| kind == "rlib")
    });
    ours.max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok())
        .expect("the crate is built beside its tests")
}

/// The errors that rustc reports for a file: for each line, what they say.
fn errors(file: &Path) -> BTreeMap<u64, String> {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--edition=2024", "--emit=metadata", "--error-format=json", "--out-dir"])
        .arg(std::env::temp_dir())
        .arg("--extern")
        .arg(format!("live={}", library(folder).display()))
        .arg("-L")
        .arg(format!("dependency={}", folder.display()))
        .arg(file)
        .output()
        .unwrap();
    assert!(!output.status.success(), "{} compiles", file.display());
    let mut errors: BTreeMap<u64, String> = BTreeMap::new();
    for line in String::from_utf8(output.stderr).unwrap().lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let primary =
            message["spans"].as_array().and_then(|spans| spans.iter().find(|s| s["is_primary"] == true));
        if let (Some("error"), Some(span)) = (message["level"].as_str(), primary) {
            let line = span["line_start"].as_u64().unwrap();
            errors.entry(line).or_default().push_str(message["rendered"].as_str().unwrap());
        }
    }
    errors
}

/// What the comments of a file announce: for each line, a part of its error.
fn announced(file: &Path) -> BTreeMap<u64, String> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with("//!"));
    lines.filter_map(|(at, line)| Some((at, line.split_once("//~ ")?.1.to_owned()))).collect()
}

#[test]
fn a_wrong_template_is_an_error_at_the_wrong_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    for name in ["template.rs", "markup.rs"] {
        let file = folder.join(name);
        let (found, mut announced) = (errors(&file), announced(&file));
        for (line, error) in &found {
            let Some(part) = announced.remove(line) else {
                panic!("{name}:{line}: an error that no comment announces:\n{error}")
            };
            assert!(error.contains(&part), "{name}:{line}: not `{part}`:\n{error}");
        }
        assert!(announced.is_empty(), "{name}: no errors at {announced:?}");
    }
}
