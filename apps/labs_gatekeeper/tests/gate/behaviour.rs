//! What a gate says of checks that end by themselves.

use labs_gatekeeper::{
    Ending, Event, Report, Settings, Stop, Verdict, json, judge_run, judge_runs, junit, run,
};

use crate::projects::{KEEP_GOING, Project, SETTINGS, printed, verdict};

/// Where every check finds nothing, the gate is green, and its exit code is 0.
///
/// Hole: `start`.
#[test]
fn all_green_is_green() {
    gate::check(|| {
        let report = Project::new()
            .check("format", "true", "")
            .check("test", "echo fine", "needs = [\"format\"]")
            .run();
        let red: Vec<_> = report.results().iter().filter(|result| !result.verdict.is_green()).collect();
        assert!(red.is_empty(), "two checks are green, and these are not: {red:?}");
        assert_eq!((report.results().len(), report.code()), (2, 0), "checks and exit code");
    });
}

/// What a program says of itself does not count: its exit code does.
///
/// Hole: `judge`.
#[test]
fn an_exit_code_is_not_ignored() {
    gate::check(|| {
        for code in [1, 2, 101, 255] {
            let report = Project::new().check("lint", &format!("echo all is well; exit {code}"), "").run();
            let lint = verdict(&report, "lint");
            assert!(*lint == Verdict::Failed { code }, "it ended with {code}, and the verdict is {lint:?}");
            assert!(report.code() == 1, "a check is red, and the gate's exit code is {}", report.code());
        }
    });
}

/// A check that was killed has not found nothing: it has not finished looking.
///
/// Hole: `judge`.
#[test]
fn a_check_that_was_killed_is_red() {
    gate::check(|| {
        let report = Project::new().check("test", "kill -9 $$", "").run();
        let test = verdict(&report, "test");
        assert!(*test == Verdict::Killed { signal: 9 }, "it was killed, and the verdict is {test:?}");
        assert_eq!(report.code(), 1, "the exit code where a check was killed");
    });
}

/// A check that can't be started is red, with the reason.
///
/// Hole: `judge`.
#[test]
fn a_check_that_can_not_start_is_red() {
    gate::check(|| {
        let plan = labs_gatekeeper::Plan::read("[[check]]\nname = \"x\"\nrun = [\"/no/such/program\"]\n");
        let report = run(&plan.expect("a plan"), &SETTINGS, &Stop::default(), |_| {});
        let reason = match verdict(&report, "x") {
            Verdict::NotStarted { reason } => reason.clone(),
            verdict => panic!("there is no such program, and the verdict is {verdict:?}"),
        };
        assert!(reason.contains("/no/such/program"), "the reason names the program: {reason}");
        assert_eq!(report.code(), 1, "the exit code where a check could not start");
    });
}

/// Tests that print no count may be no tests at all, and coverage below the floor is too little.
///
/// Hole: `judge`.
#[test]
fn a_figure_must_be_there_and_reach_its_floor() {
    gate::check(|| {
        let judged = |output: &str| {
            let figure = "figure = { find = \"{} tests run\", least = 3 }";
            let report = Project::new().check("test", &format!("echo '{output}'"), figure).run();
            verdict(&report, "test").clone()
        };
        assert_eq!(judged("3 tests run: 3 passed"), Verdict::Passed, "three of three");
        let none = judged("nothing to do");
        assert!(none == Verdict::NoFigure, "no count was printed, and the verdict is {none:?}");
        let few = judged("2 tests run: 2 passed");
        assert!(
            few == Verdict::BelowFloor { found: 2.0, least: 3.0 },
            "two of three, and the verdict is {few:?}"
        );
        // The figure never turns red into green.
        let ending = judge_run(&Ending::Exited(1), None, "3 tests run");
        assert_eq!(ending, Verdict::Failed { code: 1 }, "of a run with an exit code of 1");
    });
}

/// A test that passes now and fails then is flaky, however seldom it fails; repeating turns nothing green.
///
/// Hole: `agree`.
#[test]
fn a_planted_flaky_test_is_found() {
    gate::check(|| {
        // It fails in its third run only.
        let script = "echo run >> runs; test $(wc -l < runs) != 3 || { echo planted; exit 7; }";
        let project = Project::new().check("test", script, "repeat = 5");
        let report = project.run();
        let test = verdict(&report, "test");
        assert!(
            *test == Verdict::Flaky { passed: 4, runs: 5 },
            "one of five runs failed, and the verdict is {test:?}"
        );
        assert_eq!(report.code(), 1, "the exit code where a test is flaky");
        assert_eq!(printed(&report, "test"), "planted\n", "the output is that of the run that failed");
        assert_eq!(project.lines("runs").len(), 5, "it was to run five times");
    });
}

/// The first run does not decide, nor does the last.
///
/// Hole: `agree`.
#[test]
fn flaky_is_flaky_in_any_order() {
    gate::check(|| {
        let red = Verdict::Failed { code: 1 };
        for runs in [[red.clone(), Verdict::Passed], [Verdict::Passed, red.clone()]] {
            let together = judge_runs(&runs);
            assert!(together == Verdict::Flaky { passed: 1, runs: 2 }, "{runs:?} came out as {together:?}");
        }
        assert_eq!(judge_runs(&[red.clone(), red.clone()]), red, "of a test that fails each time");
        assert_eq!(
            judge_runs(&[Verdict::Passed, Verdict::Passed]),
            Verdict::Passed,
            "of one that passes each time"
        );
        let none = judge_runs(&[]);
        assert!(!none.is_green(), "a check that was run no times is green: {none:?}");
        let stopped = judge_runs(&[Verdict::Passed, Verdict::Stopped]);
        assert!(stopped == Verdict::Stopped, "a run that was stopped says nothing: {stopped:?}");
        let seen = judge_runs(&[red.clone(), Verdict::Stopped]);
        assert!(seen == red, "a stop does not undo what was seen before it: {seen:?}");
        let mixed = judge_runs(&[Verdict::Passed, red, Verdict::Stopped]);
        let wanted = Verdict::Flaky { passed: 1, runs: 2 };
        assert!(mixed == wanted, "a stop does not undo what was seen before it: {mixed:?}");
    });
}

/// A check whose need is red is not run, nor what needs that one; it is not green, either.
///
/// Hole: `ended`.
#[test]
fn who_needs_what_is_red_is_skipped() {
    gate::check(|| {
        let project = Project::new()
            .check("build", "exit 1", "")
            .check("test", "echo x >> ran", "needs = [\"build\"]")
            .check("cover", "echo x >> ran", "needs = [\"test\"]")
            .check("format", "true", "");
        let report = project.run_as(&KEEP_GOING);
        assert_eq!(project.lines("ran"), Vec::<String>::new(), "nothing that needs the build was run");
        for name in ["test", "cover"] {
            let verdict = verdict(&report, name);
            assert!(
                matches!(verdict, Verdict::Skipped { .. }),
                "the build is red, and {name} is {verdict:?}"
            );
        }
        assert_eq!(*verdict(&report, "format"), Verdict::Passed, "of a check that needs nothing");
        assert_eq!(report.code(), 1, "the exit code");
    });
}

/// The first red check ends the gate, unless it is to keep going: what is behind it is not started.
///
/// Hole: `ended`.
#[test]
fn the_first_red_ends_the_gate() {
    gate::check(|| {
        let project = || {
            Project::new().check("format", "exit 1", "").check("lint", "echo x >> ran", "").check(
                "test",
                "echo x >> ran",
                "needs = [\"lint\"]",
            )
        };
        let (fast, all) = (project(), project());
        let (mut started, settings) = (Vec::new(), Settings { jobs: 1, ..SETTINGS });
        let report = run(&fast.plan(), &settings, &Stop::default(), |event| {
            if let Event::Started(check) = event {
                started.push(check.name.clone());
            }
        });
        assert_eq!(started, ["format"], "checks that were run behind the first red one");
        assert_eq!(fast.lines("ran").len(), 0, "checks that were run behind the first red one");
        let because = Verdict::Skipped { because: "format".to_owned() };
        assert_eq!(*verdict(&report, "test"), because, "of a check that was not run");
        all.run_as(&Settings { jobs: 1, ..KEEP_GOING });
        assert_eq!(all.lines("ran").len(), 2, "checks that were run by a gate that keeps going");
    });
}

/// Checks start in the order of the plan: the quick ones stand first, so that red comes soon.
///
/// Hole: `start`.
#[test]
fn checks_start_in_the_order_of_the_plan() {
    gate::check(|| {
        let names = ["a", "b", "c", "d"];
        let project = names.iter().fold(Project::new(), |project, name| project.check(name, "true", ""));
        let mut started = Vec::new();
        run(&project.plan(), &Settings { jobs: 1, ..SETTINGS }, &Stop::default(), |event| {
            if let Event::Started(check) = event {
                started.push(check.name.clone());
            }
        });
        assert!(started == names, "the plan says {names:?}, and they were started as {started:?}");
    });
}

/// Whoever stops a gate before it is done has not made it green.
///
/// Hole: `code`.
#[test]
fn a_gate_that_was_stopped_is_not_green() {
    gate::check(|| {
        let project = Project::new().check("format", "true", "").check("test", "sleep 1000", "");
        let stop = Stop::default();
        let report = run(&project.plan(), &SETTINGS, &stop, |event| {
            if matches!(event, Event::Ended(result) if result.name == "format") {
                stop.ask();
            }
        });
        assert_eq!(*verdict(&report, "test"), Verdict::Stopped, "of the check that was running");
        assert!(report.code() == 130, "it was stopped, and its exit code is {}", report.code());
        let nothing = Report::new(Vec::new()).code();
        assert!(nothing != 0, "a gate that has checked nothing ended with {nothing}");
    });
}

/// The reports for programs say what the report for people says, whatever a check prints.
///
/// Hole: `code`.
#[test]
fn reports_agree_whatever_is_printed() {
    gate::check(|| {
        let nasty = "printf '\\033[31m<&\\\"]]>\\377\\000'; exit 1";
        let report = Project::new().check("a<b", nasty, "").check("c", "true", "needs = [\"a<b\"]").run();
        let json = json(&report);
        for part in
            ["\"code\": 1", "\"verdict\": \"failed\"", "\"verdict\": \"skipped\"", "\"name\": \"a<b\""]
        {
            assert!(json.contains(part), "{part} is missing in {json}");
        }
        let xml = junit(&report);
        for part in
            ["tests=\"2\" failures=\"1\" skipped=\"1\"", "name=\"a&lt;b\"", "type=\"failed\"", "&lt;&amp;"]
        {
            assert!(xml.contains(part), "{part} is missing in {xml}");
        }
        let forbidden = xml.chars().find(|c| c.is_control() && *c != '\n');
        assert!(forbidden.is_none(), "XML has no {forbidden:?}: {xml}");
    });
}
