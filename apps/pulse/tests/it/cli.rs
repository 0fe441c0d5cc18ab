//! The command line: help that helps, slips that are told.

use crate::program::Place;

const COMMANDS: [&str; 12] = [
    "serve", "migrate", "demo", "replay", "report", "user", "audit", "doctor", "openapi", "backup",
    "restore", "config",
];

#[test]
fn help_names_every_command_the_environment_and_the_exit_codes() {
    let help = Place::sqlite().run(&["--help"]).succeeded().stdout;
    for word in COMMANDS {
        assert!(help.contains(&format!("\n  {word} ")), "{word} is missing:\n{help}");
    }
    for word in ["DATABASE_URL", "PULSE_SERVER_LISTEN", "pulse.toml", "Exit codes", "69", "Examples"] {
        assert!(help.contains(word), "{word} is missing:\n{help}");
    }
}

#[test]
fn each_command_says_what_it_does() {
    let place = Place::sqlite();
    for command in COMMANDS {
        let help = place.run(&[command, "--help"]).succeeded().stdout;
        assert!(help.contains(&format!("Usage: pulse {command}")), "{help}");
        let says = help.lines().next().is_some_and(|line| line.split(' ').count() >= 4);
        assert!(says, "a sentence comes first:\n{help}");
    }
    for inner in
        [["migrate", "up"], ["migrate", "down"], ["user", "add"], ["audit", "verify"], ["audit", "head"]]
    {
        place.run(&[inner[0], inner[1], "--help"]).succeeded();
    }
}

#[test]
fn a_slip_leaves_with_2_and_a_hint() {
    let place = Place::sqlite();
    let slip = place.run(&["sreve"]);
    assert_eq!(slip.code, Some(2));
    assert!(slip.stderr.contains("serve"), "{slip:?}");
    assert_eq!(place.run(&["replay"]).code, Some(2));
    assert_eq!(place.run(&["replay", "--speed", "fast", "x.csv"]).code, Some(2));
    assert_eq!(place.run(&["user", "add", "a@example.com", "--role", "king"]).code, Some(2));
}

#[test]
fn output_that_nobody_reads_is_no_failure() {
    let place = Place::sqlite();
    let mut command = std::process::Command::new("sh");
    place.settle(&mut command);
    command
        .args(["-c", "\"$0\" openapi | head -c 1 > /dev/null; exec \"$0\" config"])
        .arg(env!("CARGO_BIN_EXE_pulse"));
    let finished = crate::program::finish(&mut command).succeeded();
    assert_eq!(finished.stderr, "");
}

#[test]
fn openapi_prints_the_description() {
    let printed = Place::sqlite().run(&["openapi"]).succeeded().stdout;
    let document: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/api/v1/cart"].is_object());
}

#[test]
fn destructive_commands_want_a_yes() {
    let place = Place::sqlite();
    place.run(&["migrate", "up"]).succeeded();
    assert!(place.run(&["migrate", "down"]).failed_with(1).complaint().contains("--yes"));
    place.run(&["migrate", "down", "--steps", "1", "--yes"]).succeeded();
    let status = place.run(&["migrate", "status"]).succeeded().stdout;
    assert_eq!(status.lines().filter(|line| line.starts_with("missing")).count(), 1, "{status}");
    place.run(&["migrate", "up"]).succeeded();
    let status = place.run(&["migrate", "status"]).succeeded().stdout;
    assert!(!status.contains("missing"), "{status}");
}

#[test]
fn an_account_is_made_once_and_its_password_never_comes_from_the_command_line() {
    let place = Place::sqlite();
    let made = place.run(&["user", "add", "ada@example.com", "--role", "admin"]).succeeded().stdout;
    assert!(made.contains("password (shown once): "), "{made}");
    assert!(
        place
            .run(&["user", "add", "ada@example.com"])
            .failed_with(1)
            .complaint()
            .contains("there is an account")
    );
    assert_eq!(place.run(&["user", "add", "bo@example.com", "--password", "x"]).code, Some(2));
    assert!(
        place
            .run(&["user", "add", "bo@example.com", "--password-stdin"])
            .failed_with(1)
            .complaint()
            .contains("standard input")
    );
}
