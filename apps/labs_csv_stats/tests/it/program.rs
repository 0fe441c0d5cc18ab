//! `csv-stats` as a user runs it.
#![expect(clippy::unwrap_used, reason = "a test stops where it can not go on")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn csv_stats(arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_labs_csv_stats"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may refuse its arguments before it reads.
    let _ = program.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = program.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

#[test]
fn a_clean_file_ends_with_0_and_a_table() {
    let (code, table, errors) = csv_stats(&[], b"item,price\nlantern,3.39\nheart,2.75\n");
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(table.starts_with("standard input: 2 rows, 0 left out, 2 columns"), "{table}");
    for word in ["price", "decimal", "6.14", "lantern"] {
        assert!(table.contains(word), "{word} is missing in\n{table}");
    }
}

#[test]
fn dirt_ends_with_1_and_is_named_with_its_place() {
    let (code, table, _) = csv_stats(&["-"], b"item,price\nlantern\n\"x\"y,1\n");
    assert_eq!(code, 1);
    assert!(table.contains("row 1, column 2 (price), line 2"), "{table}");
    assert!(table.contains("row 2, column 1 (item), line 3"), "{table}");
}

#[test]
fn files_of_one_heading_are_summed_up_together_and_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (one, two, other) = (file("1", "a,b\n1,2\n"), file("2", "a,b\n3,4\n"), file("3", "x,y\n1,2\n"));
    let (code, table, _) = csv_stats(&[&one, &two], b"");
    assert_eq!(code, 0);
    assert!(table.contains("together: 2 rows"), "{table}");
    let (code, _, errors) = csv_stats(&[&one, &other], b"");
    assert_eq!(code, 65);
    assert!(errors.contains("--each"), "{errors}");
    let (code, table, _) = csv_stats(&["--each", &one, &other], b"");
    assert_eq!((code, table.matches("1 rows").count()), (0, 2), "{table}");
}

#[test]
fn wrong_input_is_refused_with_a_reason() {
    let missing = csv_stats(&["/no/such/file"], b"");
    assert_eq!(missing.0, 66);
    assert!(missing.2.contains("/no/such/file can't be opened"), "{}", missing.2);
    assert_eq!(csv_stats(&["/"], b"").0, 66, "a folder");
    assert_eq!(csv_stats(&["--delimiter", "ab"], b"").0, 2);
    assert_eq!(csv_stats(&["--delimiter", "\""], b"").0, 2);
    let (code, table, _) = csv_stats(&["--delimiter", "tab", "--no-heading", "--simple"], b"1\t2\n");
    assert_eq!(code, 0);
    assert!(table.contains("1 rows, 0 left out, 2 columns"), "{table}");
}

#[test]
fn an_interrupted_run_shows_what_it_has() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_labs_csv_stats"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    // More than a pipe holds: once it is written, the program runs and has read some of it.
    for row in 0..200_000 {
        writeln!(input, "{row},x").unwrap();
    }
    let id = program.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    // The read that waits comes back with this row, and the program sees that it was interrupted.
    let _ = writeln!(input, "1,x");
    let Output { status, stdout, stderr } = program.wait_with_output().unwrap();
    let (table, errors) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(130), "{errors}");
    assert!(errors.contains("interrupted; the table holds what came before"), "{errors}");
    assert!(table.contains("columns") && !table.contains("left out\n"), "{table}");
}
