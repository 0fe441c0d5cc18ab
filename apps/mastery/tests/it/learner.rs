//! A learner's road: from the skeleton to a pass, with hints, a hunt, and what goes wrong on the way.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::mini::Mini;

#[test]
fn from_the_skeleton_to_a_pass() {
    let mini = Mini::new("from_the_skeleton_to_a_pass");
    mini.run(&[]).ends(0).says("labs_mini").says("next: cargo mastery start labs_mini");
    mini.run(&["check"]).ends(1).says("which lab?");
    mini.run(&["start", "m3"]).ends(0).says("What does `put` answer when the shelf is full?");
    mini.run(&["check"])
        .ends(1)
        .says("builds     ok")
        .says("behaviour  red 2 of 2")
        .says("not yet implemented: put")
        .says("Broken: A shelf never holds more than it may, and says so.")
        .says("--only behaviour::a_full_shelf_takes_no_more --seed ");
    mini.run(&["hint"]).ends(0).says("hint 1 of 3").says("What if it is full?");
    mini.run(&["hint"]).ends(0).says("Compare first.");
    mini.run(&["hint", "--hole", "take"]).ends(0).says("hint 1 of 3").says("Which one?");
    mini.run(&["diff"]).ends(1).says("is not passed yet");
    mini.run(&[]).ends(0).says("red: behaviour").says("next: cargo mastery check labs_mini");

    mini.fill(
        "put",
        "if self.things.len() >= self.most { return Err(Full); } self.things.push(thing.to_owned()); Ok(())",
    );
    mini.fill("take", "self.things.first().cloned()");
    let red = mini.run(&["check", "labs_mini", "--seed", "5"]);
    red.ends(1)
        .says("behaviour  ok")
        .says("laws       red 1 of 1")
        .says("came back as")
        .says("found with seed 5");
    let again = ["check", "--only", "laws::things_come_back_in_reverse", "--seed", "5"];
    assert_eq!(
        of_the_failure(&mini.run(&again).said),
        of_the_failure(&red.said),
        "the same seed, the same failure"
    );

    mini.edit("work/labs_mini/src/lib.rs", "self.things.first().cloned()", "self.things.pop()");
    mini.fill("longest", "self.things.iter().map(String::len).max().unwrap_or(0)");
    mini.run(&["check"]).ends(0).says("budget     ok 1 tests").says("Passed.");
    mini.run(&["check"]).ends(0).says("unchanged since");
    mini.run(&["check", "--again"]).ends(0).says("budget     ok");
    mini.run(&["diff"]).ends(0).says("-        if self.things.len() >= self.most { return Err(Full); }");
    mini.run(&[]).ends(0).says("passed").says("All labs are passed");

    mini.edit("work/labs_mini/src/lib.rs", "self.things.pop()", "self.things.pop() // the last one");
    mini.run(&[]).ends(0).says("changed since").says("next: cargo mastery check labs_mini");
    mini.run(&["check"]).ends(0).says("Passed.");
    let did: Vec<_> = mini.read("work/log.jsonl").lines().map(verb).collect();
    assert_eq!(
        did,
        [
            "started", "checked", "hinted", "hinted", "hinted", "checked", "checked", "checked", "passed",
            "checked", "passed", "checked", "passed"
        ]
    );
}

#[test]
fn a_hint_for_what_does_not_build_is_that_it_does_not_build() {
    let mini = Mini::solved("a_hint_for_what_does_not_build_is_that_it_does_not_build");
    mini.edit("work/labs_mini/src/lib.rs", "self.things.pop()", "self.things.pop(");
    mini.run(&["check"]).ends(1).says("builds     red");
    mini.run(&["hint"]).ends(1).says("labs_mini does not build");
}

#[test]
fn a_lab_that_was_deleted_is_begun_anew() {
    let mini = Mini::started("a_lab_that_was_deleted_is_begun_anew");
    mini.run(&[]).ends(0).says("next: cargo mastery check labs_mini");
    std::fs::remove_dir_all(mini.root.join("work/labs_mini")).unwrap();
    mini.run(&[]).ends(0).says("next: cargo mastery start labs_mini");
}

fn of_the_failure(said: &str) -> Vec<String> {
    let about = said.lines().skip_while(|line| !line.starts_with("laws::")).skip(1);
    // Thread numbers differ from run to run.
    about.filter(|line| !line.contains("panicked at")).map(str::to_owned).collect()
}

fn verb(line: &str) -> String {
    let entry: serde_json::Value = serde_json::from_str(line).unwrap();
    entry["did"].as_str().unwrap().to_owned()
}

#[test]
fn who_gives_up_sees_the_solution_and_it_is_noted() {
    let mini = Mini::started("who_gives_up_sees_the_solution_and_it_is_noted");
    mini.run(&["diff", "--give-up"]).ends(0).says("+        self.things.pop()");
    mini.run(&["diff"]).ends(0);
    mini.run(&[]).ends(0).says("given up");
    assert_eq!(mini.read("work/log.jsonl").matches("gave_up").count(), 1);
}

#[test]
fn what_does_not_compile_is_shown_as_the_compiler_says_it() {
    let mini = Mini::started("what_does_not_compile_is_shown_as_the_compiler_says_it");
    mini.fill("take", "self.nothings.pop()");
    mini.run(&["check"]).ends(1).says("builds     red").says("no field `nothings`").says("src/lib.rs:");
}

#[test]
fn a_second_start_is_refused_and_a_reset_keeps_what_was_written() {
    let mini = Mini::started("a_second_start_is_refused_and_a_reset_keeps_what_was_written");
    mini.fill("take", "None // mine");
    mini.run(&["start", "labs_mini"]).ends(1).says("--reset");
    assert!(mini.read("work/labs_mini/src/lib.rs").contains("None // mine"));
    mini.run(&["start", "labs_mini", "--reset"]).ends(0).says("what you had is in work/backup/labs_mini-");
    assert!(mini.read("work/labs_mini/src/lib.rs").contains("todo!(\"take\")"));
    let backup = fs::read_dir(mini.root.join("work/backup")).unwrap().next().unwrap().unwrap().path();
    assert!(fs::read_to_string(backup.join("src/lib.rs")).unwrap().contains("None // mine"));
}

#[test]
fn a_deleted_work_folder_is_made_anew() {
    let mini = Mini::started("a_deleted_work_folder_is_made_anew");
    fs::remove_dir_all(mini.root.join("work")).unwrap();
    mini.run(&["check", "mini"]).ends(1).says("labs_mini is not started: cargo mastery start labs_mini");
    mini.run(&["start", "mini"]).ends(0);
    mini.run(&["check", "mini"]).ends(1).says("behaviour  red");
}

#[test]
fn hunting_grades_ones_own_tests() {
    let mini = Mini::started("hunting_grades_ones_own_tests");
    let own_tests = "work/labs_mini/tests/mine.rs";
    mini.run(&["hunt"]).ends(1).says("has no test yet");
    mini.write(
        own_tests,
        "#[test]\nfn wrong() { assert_eq!(labs_mini::Shelf::new(1).put(\"a\"), Err(labs_mini::Full)); }\n",
    );
    mini.run(&["hunt"]).ends(1).says("red on the solution");
    mini.write(
        own_tests,
        "use labs_mini::*;\n#[test]\nfn bound() { let mut s = Shelf::new(0); assert_eq!(s.put(\"a\"), Err(Full)); assert_eq!(s.take(), None); }\n",
    );
    mini.run(&["hunt"]).ends(1).says("green on the solution").says("caught 2 of 5").says("longest, take");
    let skeleton = mini.read("work/labs_mini/src/lib.rs");
    assert!(skeleton.contains("todo!(\"put\")"), "a hunt leaves the learner's code alone");
}

#[test]
fn a_watch_checks_again_when_a_file_is_saved() {
    let mini = Mini::started("a_watch_checks_again_when_a_file_is_saved");
    let mut watch = Killed(mini.command(&["check", "--watch"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(watch.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut wait_for = |text: &str| lines.find(|line| line.contains(text)).is_some();
    assert!(wait_for("red 2 of 2") && wait_for("watching"));
    mini.fill("put", "self.things.push(thing.to_owned()); Ok(())");
    assert!(wait_for("it holds one, and may hold one") && wait_for("watching"));
}

/// A command that runs until the test ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn lines_fit_eighty_columns_and_have_no_colours_where_there_is_no_terminal() {
    let mini = Mini::started("lines_fit_eighty_columns_and_have_no_colours_where_there_is_no_terminal");
    for args in
        [&["start", "mini", "--reset"][..], &[], &["hint"], &["doctor"], &["--help"], &["check", "--help"]]
    {
        let ran = mini.run(args);
        assert!(!ran.said.contains('\u{1b}'), "{args:?} has colours:\n{}", ran.said);
        // A path can't be broken.
        let own = ran.said.lines().filter(|line| !line.contains('/') && !line.contains("cargo mastery"));
        let wide: Vec<_> = own.filter(|line| line.chars().count() > 80).collect();
        assert_eq!(wide, Vec::<&str>::new(), "of {args:?}");
    }
}

#[test]
fn a_name_that_is_nearly_right_is_understood_or_asked_back() {
    let mini = Mini::new("a_name_that_is_nearly_right_is_understood_or_asked_back");
    mini.run(&["start", "labs_mimi"]).ends(1).says("do you mean labs_mini?");
    mini.run(&["check", "min"]).ends(1).says("do you mean labs_mini?");
    let far = mini.run(&["start", "labs_nothing"]);
    far.ends(1).says("`cargo mastery` shows all");
    mini.run(&["start", "apps/labs_mini/"]).ends(0);
    assert!(mini.root.join("work/.git").is_dir(), "the work has a history of its own");
}
