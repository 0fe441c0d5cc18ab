//! Checks that hang, that leave something behind, that print without end, and gates that are stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use labs_gatekeeper::{Event, Settings, Stop, Verdict, run};

use crate::projects::{KEEP_GOING, Project, SETTINGS, is_alive, printed, verdict, wait_for_the_end_of};

/// A check that does not end in time is ended, and is red.
///
/// Hole: `wait`.
#[test]
fn a_check_that_hangs_is_ended() {
    gate::check(|| {
        let report = Project::new().check("test", "echo before; exec sleep 1000", "seconds = 0.3").run();
        let test = verdict(&report, "test");
        assert!(*test == Verdict::TimedOut, "it would have taken 1000 seconds, and the verdict is {test:?}");
        assert_eq!(printed(&report, "test"), "before\n", "what it printed until then");
        assert_eq!(report.code(), 1, "the exit code");
    });
}

/// A timeout can't be swallowed: who ends well only because it was told to end has not passed.
///
/// Hole: `wait`.
#[test]
fn a_timeout_can_not_be_swallowed() {
    gate::check(|| {
        let script = "trap 'exit 0' TERM; sleep 1000 & wait";
        let report = Project::new().check("test", script, "seconds = 0.3").run();
        let test = verdict(&report, "test");
        assert!(*test == Verdict::TimedOut, "it was ended by the gate, said 0, and the verdict is {test:?}");
    });
}

/// What a check has started ends with it: a test's server would keep its port, and our pipe.
///
/// Hole: `wait`.
#[test]
fn the_children_of_a_hanging_check_are_ended() {
    gate::check(|| {
        let report = Project::new().check("test", "sleep 1000 & echo $!; wait", "seconds = 0.3").run();
        assert_eq!(*verdict(&report, "test"), Verdict::TimedOut, "of a check that hangs");
        wait_for_the_end_of(printed(&report, "test").trim());
    });
}

/// What a check leaves behind is ended, also if the check itself has ended well; nobody waits for it.
///
/// Hole: `wait`.
#[test]
fn what_is_left_behind_is_ended() {
    gate::check(|| {
        let report = Project::new().check("test", "sleep 1000 & echo $!; exit 0", "").run();
        assert_eq!(*verdict(&report, "test"), Verdict::Passed, "of a check that has ended well");
        wait_for_the_end_of(printed(&report, "test").trim());
    });
}

/// Who does not listen when it is asked to end, is killed.
///
/// Hole: `wait`.
#[test]
fn who_does_not_listen_is_killed() {
    gate::check(|| {
        let script = "trap '' TERM; echo $$; while true; do sleep 0.05; done";
        let report = Project::new().check("test", script, "seconds = 0.3").run();
        assert_eq!(*verdict(&report, "test"), Verdict::TimedOut, "of a check that hangs");
        wait_for_the_end_of(printed(&report, "test").trim());
    });
}

/// Who listens is given the time to put things in order.
///
/// Hole: `wait`.
#[test]
fn who_listens_may_clean_up() {
    gate::check(|| {
        let script = "trap 'echo cleaned up; exit 3' TERM; echo ready; sleep 1000 & wait";
        // Nobody may wait for all of it: it ends as soon as it has cleaned up.
        let settings = Settings { grace: Duration::from_secs(1000), ..SETTINGS };
        let report = Project::new().check("test", script, "seconds = 0.5").run_as(&settings);
        assert_eq!(*verdict(&report, "test"), Verdict::TimedOut, "of a check that hangs");
        let printed = printed(&report, "test");
        assert!(printed.ends_with("cleaned up\n"), "it was killed before it could clean up: {printed:?}");
    });
}

/// Output without end fills neither the memory nor the pipe: the check goes on, and its last words are kept.
///
/// Hole: `keep`.
#[test]
fn much_output_stops_nobody() {
    gate::check(|| {
        let script = "echo first; head -c 2000000 /dev/zero | tr '\\0' x; echo; echo last; exit 5";
        let report = Project::new().check("test", script, "").run();
        assert_eq!(
            *verdict(&report, "test"),
            Verdict::Failed { code: 5 },
            "of a check that prints two megabytes"
        );
        let result = &report.results()[0].output;
        assert!(result.len() <= SETTINGS.output, "{} bytes are kept of {}", result.len(), SETTINGS.output);
        let text = result.text();
        assert!(text.starts_with("first\n"), "its first words are gone");
        assert!(text.ends_with("\nlast\n"), "its last words are gone");
    });
}

/// A red check ends the others that run, and they are not called red for it.
///
/// Holes: `ended`, `wait`.
#[test]
fn a_red_check_ends_those_that_run() {
    gate::check(|| {
        // The first one waits until the second one is there.
        let wait = "while ! test -e here; do sleep 0.02; done; exit 1";
        let project =
            Project::new().check("lint", wait, "").check("test", "echo $$ > here; exec sleep 1000", "");
        let report = project.run();
        assert_eq!(*verdict(&report, "lint"), Verdict::Failed { code: 1 }, "of the red check");
        let test = verdict(&report, "test");
        assert!(*test == Verdict::Stopped, "it ran beside a red check, and its verdict is {test:?}");
        wait_for_the_end_of(&project.lines("here").concat());
    });
}

/// A gate that is stopped ends what it has started, and starts nothing more.
///
/// Hole: `wait`.
#[test]
fn a_gate_that_is_stopped_leaves_nothing_running() {
    gate::check(|| {
        let project = Project::new()
            .check("one", "echo $$ >> here; exec sleep 1000", "")
            .check("two", "while ! test -s here; do sleep 0.02; done", "")
            .check("three", "echo x >> ran; exec sleep 1000", "needs = [\"two\"]")
            .check("four", "echo x >> ran", "needs = [\"three\"]");
        let stop = Stop::default();
        let report = run(&project.plan(), &SETTINGS, &stop, |event| {
            if matches!(event, Event::Ended(result) if result.name == "two") {
                stop.ask();
            }
        });
        let id = project.lines("here").concat();
        assert!(!is_alive(&id), "process {id} was left running");
        for name in ["one", "four"] {
            let verdict = verdict(&report, name);
            assert!(*verdict == Verdict::Stopped, "the gate was stopped, and {name} is {verdict:?}");
        }
        assert_eq!(report.code(), 130, "the exit code of a gate that was stopped");
    });
}

/// Who is stopped may clean up as well, and who is asked twice is not hurried.
///
/// Hole: `wait`.
#[test]
fn who_is_stopped_may_clean_up() {
    gate::check(|| {
        let script = "trap 'sleep 0.2; echo cleaned up; exit 0' TERM; touch ready; sleep 1000 & wait";
        let project = Project::new().check("test", script, "").check(
            "look",
            "while ! test -e ready; do sleep 0.02; done",
            "",
        );
        let (stop, settings) = (Stop::default(), Settings { grace: Duration::from_secs(1000), ..SETTINGS });
        let report = run(&project.plan(), &settings, &stop, |event| {
            if matches!(event, Event::Ended(result) if result.name == "look") {
                stop.ask();
                stop.ask();
            }
        });
        assert_eq!(
            *verdict(&report, "test"),
            Verdict::Stopped,
            "of a check that was stopped, whatever it says"
        );
        let printed = printed(&report, "test");
        assert!(printed == "cleaned up\n", "it was killed before it could clean up: {printed:?}");
    });
}

/// Who does not listen is killed when its grace is over, however often somebody asks meanwhile.
///
/// Hole: `wait`.
#[test]
fn asking_again_gives_no_more_time() {
    gate::check(|| {
        let project =
            Project::new().check("test", "trap '' TERM; echo $$ > here; while true; do sleep 0.05; done", "");
        let (stop, over) = (Stop::default(), AtomicBool::new(false));
        let in_vain = std::thread::scope(|threads| {
            let asking = threads.spawn(|| {
                // Asked for eight times the grace at least, from when the check does not listen any more.
                let mut asked = 0;
                for _ in 0..1_000 {
                    if !project.lines("here").is_empty() {
                        stop.ask();
                        asked += 1;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                    if asked > 400 || over.load(Ordering::SeqCst) {
                        break;
                    }
                }
                asked > 400
            });
            run(&project.plan(), &SETTINGS, &stop, |_| {});
            over.store(true, Ordering::SeqCst);
            asking.join().expect("it only asks")
        });
        assert!(!in_vain, "each time somebody asked, its time to end began anew");
    });
}

/// Five mistakes planted in one project: each is found, and named for what it is.
///
/// Holes: `start`, `judge`, `agree`, `wait`, `code`.
#[test]
fn planted_mistakes_are_found_by_name() {
    gate::check(|| {
        let tests = "figure = { find = \"{} tests run\", least = 1 }";
        let project = Project::new()
            .check("right", "echo 12 tests run", tests)
            .check("says it is well", "echo 12 tests run; exit 1", tests)
            .check("tests nothing", "echo no tests to run; exit 0", tests)
            .check("flaky", "test -e once || { touch once; exit 1; }", "repeat = 2")
            .check("hangs", "exec sleep 1000", "seconds = 0.3")
            .check("dies", "kill -9 $$", "");
        let report = project.run_as(&KEEP_GOING);
        let wanted = [
            ("right", Verdict::Passed),
            ("says it is well", Verdict::Failed { code: 1 }),
            ("tests nothing", Verdict::NoFigure),
            ("flaky", Verdict::Flaky { passed: 1, runs: 2 }),
            ("hangs", Verdict::TimedOut),
            ("dies", Verdict::Killed { signal: 9 }),
        ];
        for (name, wanted) in wanted {
            let got = verdict(&report, name);
            assert!(*got == wanted, "the check that {name:?} should be {wanted:?}, and is {got:?}");
        }
        assert_eq!(report.code(), 1, "the exit code");
    });
}
