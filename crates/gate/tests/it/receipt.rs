//! Receipts, seen from outside: this test program starts itself as the gate.

use std::io::Write as _;
use std::process::{Command, Stdio};

const TICKET: &str = "a1b2c3";

/// What a run of the test named so printed, with its ticket given or not.
fn run(test: &str, given: bool) -> (String, Option<i32>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("receipt::inside::{test}"), "--nocapture", "--include-ignored"])
        .env("GATE_INSIDE", "1")
        .env(gate::TICKET, "stdin")
        .env(gate::SEED, "7")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    if given {
        writeln!(input, "{TICKET}").unwrap();
    } else {
        drop(input);
        let output = child.wait_with_output().unwrap();
        return (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code());
    }
    // Held until the child is gone, as whoever waits for a verdict does.
    let mut read = Vec::new();
    std::io::Read::read_to_end(child.stdout.as_mut().unwrap(), &mut read).unwrap();
    let mut told = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut told).unwrap();
    let code = child.wait().unwrap().code();
    (String::from_utf8_lossy(&read).into_owned() + &told, code)
}

fn receipts(output: &str) -> usize {
    output.lines().filter(|line| *line == format!("receipt {TICKET}")).count()
}

#[test]
fn a_test_that_comes_to_its_end_gives_its_ticket_back() {
    for test in ["passes", "passes_in_virtual_time", "a_law_that_holds"] {
        let (output, code) = run(test, true);
        assert_eq!((receipts(&output), code), (1, Some(0)), "{test}: {output}");
    }
}

#[test]
fn a_test_that_leaves_or_panics_gives_none() {
    for (test, expected) in [("leaves", Some(0)), ("panics", Some(101)), ("waits_for_ever", Some(101))] {
        let (output, code) = run(test, true);
        assert_eq!((receipts(&output), code), (0, expected), "{test}: {output}");
    }
}

#[test]
fn a_second_call_of_the_kit_in_one_test_is_refused() {
    let (output, code) = run("calls_twice", true);
    assert_eq!(code, Some(101));
    assert!(output.contains("make two tests of it"), "{output}");
}

#[test]
fn a_law_shows_one_counterexample_as_small_as_can_be_and_its_seed() {
    let (output, _) = run("a_law_that_is_broken", true);
    assert!(output.contains("found with seed 7 for the input 10"), "{output}");
    assert_eq!(output.matches("panicked at").count(), 1, "{output}");
}

#[test]
fn a_ticket_that_never_comes_is_an_error() {
    let (output, code) = run("passes", false);
    assert_eq!(code, Some(101));
    assert!(output.contains("no ticket came"), "{output}");
}

/// The gate inside. Run as an ordinary test each of these does nothing.
mod inside {
    use gate::proptest::prelude::any;

    fn started() -> bool {
        std::env::var_os("GATE_INSIDE").is_some()
    }

    #[test]
    fn passes() {
        if started() {
            gate::check(|| assert_eq!(1 + 1, 2));
        }
    }

    #[test]
    fn passes_in_virtual_time() {
        if started() {
            gate::paused(async || tokio::time::sleep(std::time::Duration::from_hours(1)).await);
        }
    }

    #[test]
    fn a_law_that_holds() {
        if started() {
            gate::law(20, any::<u8>(), |n| assert_eq!(n ^ n, 0));
        }
    }

    #[test]
    fn leaves() {
        if started() {
            gate::check(|| std::process::exit(0));
        }
    }

    #[test]
    fn panics() {
        if started() {
            gate::check(|| panic!("as it should"));
        }
    }

    #[test]
    fn waits_for_ever() {
        if started() {
            gate::paused(async || std::future::pending().await);
        }
    }

    #[test]
    fn calls_twice() {
        if started() {
            gate::check(|| ());
            gate::check(|| ());
        }
    }

    #[test]
    fn a_law_that_is_broken() {
        if started() {
            gate::law(500, any::<u16>(), |n| assert!(n < 10, "{n} is too great"));
        }
    }
}
