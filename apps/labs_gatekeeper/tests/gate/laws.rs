//! What holds for any plan, any endings, any output.

use std::collections::BTreeSet;
use std::time::Duration;

use gate::proptest::collection::vec;
use gate::proptest::option;
use gate::proptest::prelude::{Just, Strategy, any};
use gate::proptest::prop_oneof;
use labs_gatekeeper::{
    Ending, Figure, Kept, Plan, Report, Resulted, Schedule, Verdict, judge_run, judge_runs,
};

/// A check as the laws see it: what it needs, its lock, how it will end.
#[derive(Debug, Clone)]
struct Sketch {
    needs: BTreeSet<usize>,
    lock: Option<u8>,
    verdict: Verdict,
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        6 => Just(Verdict::Passed),
        1 => Just(Verdict::Failed { code: 1 }),
        1 => Just(Verdict::TimedOut),
        1 => Just(Verdict::Flaky { passed: 1, runs: 2 }),
        1 => Just(Verdict::NotStarted { reason: "no".to_owned() }),
    ]
}

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let sketch = (vec(any::<usize>(), 0..3), option::of(0_u8..2), verdict());
    vec(sketch, 1..9).prop_map(|sketches| {
        // Needs stand above: the first check has none.
        let above =
            |place: usize, any: &[usize]| any.iter().filter_map(|any| any.checked_rem(place)).collect();
        let sketches = sketches.into_iter().enumerate();
        sketches
            .map(|(place, (any, lock, verdict))| Sketch { needs: above(place, &any), lock, verdict })
            .collect()
    })
}

fn plan(sketches: &[Sketch]) -> Plan {
    let check = |(place, sketch): (usize, &Sketch)| {
        let needs: Vec<String> = sketch.needs.iter().map(|need| format!("c{need}")).collect();
        let lock = sketch.lock.map(|lock| format!("lock = \"l{lock}\"\n")).unwrap_or_default();
        format!("[[check]]\nname = \"c{place}\"\nrun = [\"true\"]\nneeds = {needs:?}\n{lock}")
    };
    Plan::read(&sketches.iter().enumerate().map(check).collect::<String>()).expect("needs stand above")
}

/// Whatever ends when and how: no more run than there are jobs, none with the lock of another, none before its needs are
/// green, none twice; and the schedule comes to its end.
///
/// Holes: `start`, `ended`.
#[test]
fn a_schedule_keeps_its_rules_and_ends() {
    gate::law(
        600,
        (sketches(), 1_usize..4, any::<bool>(), vec(any::<usize>(), 0..40)),
        |(sketches, jobs, keep_going, order)| {
            let mut schedule = Schedule::new(&plan(&sketches), jobs, keep_going);
            let (mut running, mut ran) = (Vec::new(), BTreeSet::new());
            let mut order = order.into_iter();
            let (mut red, mut stopping) = (false, false);
            for _ in 0..=sketches.len() {
                let started = schedule.start();
                assert!(started.is_sorted(), "checks start in the order of the plan, not as {started:?}");
                for place in started {
                    assert!(ran.insert(place), "check {place} was started twice");
                    assert!(!red || keep_going, "check {place} was started after a red one");
                    let green = |need: &usize| schedule.verdict(*need) == Some(&Verdict::Passed);
                    assert!(
                        sketches[place].needs.iter().all(green),
                        "check {place} was started before its needs were green"
                    );
                    running.push(place);
                }
                assert!(running.len() <= jobs, "{} checks run, and there are {jobs} jobs", running.len());
                let locks: Vec<u8> =
                    running.iter().filter_map(|&place: &usize| sketches[place].lock).collect();
                let different: BTreeSet<u8> = locks.iter().copied().collect();
                assert!(locks.len() == different.len(), "two that run have the same lock: {running:?}");
                if running.is_empty() {
                    break;
                }
                let ends = running.swap_remove(order.next().unwrap_or(0) % running.len());
                // What was stopped ends as stopped, unless it was quicker.
                let verdict = if stopping { Verdict::Stopped } else { sketches[ends].verdict.clone() };
                red |= !verdict.is_green();
                let mut to_stop = schedule.ended(ends, verdict.clone());
                to_stop.sort_unstable();
                let mut left = running.clone();
                left.sort_unstable();
                let wanted = if red && !keep_going { left } else { Vec::new() };
                assert!(
                    verdict.is_green() || to_stop == wanted,
                    "{to_stop:?} are to be stopped, and {wanted:?} should be"
                );
                stopping |= !to_stop.is_empty();
            }
            let open: Vec<usize> =
                (0..sketches.len()).filter(|&place| schedule.verdict(place).is_none()).collect();
            assert!(
                schedule.is_over() && open.is_empty(),
                "nothing runs, and checks {open:?} have no verdict"
            );
            for place in (0..sketches.len()).filter(|place| !ran.contains(place)) {
                let skipped = matches!(schedule.verdict(place), Some(Verdict::Skipped { .. }));
                assert!(
                    skipped,
                    "check {place} was never run, and its verdict is {:?}",
                    schedule.verdict(place)
                );
                let lost = |need: &usize| schedule.verdict(*need).is_none_or(|verdict| !verdict.is_green());
                let needed = !keep_going || sketches[place].needs.iter().any(lost);
                assert!(needed, "check {place} was skipped, and nothing that it needs is red");
            }
        },
    );
}

/// As many run as may: where a job is free, no check waits that could run.
///
/// Hole: `start`.
#[test]
fn no_job_is_idle_while_a_check_could_run() {
    gate::law(300, (sketches(), 1_usize..4), |(sketches, jobs)| {
        let mut schedule = Schedule::new(&plan(&sketches), jobs, true);
        loop {
            schedule.start();
            let running: Vec<usize> = schedule.running().collect();
            for place in (0..sketches.len())
                .filter(|place| schedule.verdict(*place).is_none() && !running.contains(place))
            {
                let green = |need: &usize| schedule.verdict(*need) == Some(&Verdict::Passed);
                let locked = running.iter().any(|&running| {
                    sketches[place].lock.is_some() && sketches[running].lock == sketches[place].lock
                });
                let could = sketches[place].needs.iter().all(green) && !locked && running.len() < jobs;
                assert!(!could, "check {place} could run beside {running:?} on {jobs} jobs");
            }
            let Some(&first) = running.first() else { break };
            schedule.ended(first, sketches[first].verdict.clone());
        }
    });
}

/// What is kept is the beginning and the end, within the bound, in whatever pieces it came; the rest is counted.
///
/// Hole: `keep`.
#[test]
fn the_beginning_and_the_end_are_kept() {
    gate::law(300, (vec(vec(b'a'..=b'z', 0..30), 0..20), 0_usize..60), |(pieces, bound)| {
        let mut kept = Kept::new(bound);
        for piece in &pieces {
            kept.push(piece);
            assert!(kept.len() <= bound, "{} bytes are held, and the bound is {bound}", kept.len());
        }
        let all = String::from_utf8(pieces.concat()).expect("letters");
        let half = bound / 2;
        let counted = kept.len() as u64 + kept.left_out();
        assert!(
            counted == all.len() as u64,
            "{} bytes were printed, and {counted} are kept or counted",
            all.len()
        );
        let text = kept.text();
        if all.len() <= 2 * half {
            assert!(text == all, "{all:?} is within the bound, and was kept as {text:?}");
        } else {
            let (head, tail) = (&all[..half], &all[all.len() - half..]);
            assert!(text.starts_with(head), "the beginning {head:?} is missing in {text:?}");
            assert!(text.ends_with(tail), "the end {tail:?} is missing in {text:?}");
        }
    });
}

/// Only an exit code of 0, with the figure that was asked for, is green.
///
/// Hole: `judge`.
#[test]
fn only_success_is_green() {
    let ending = prop_oneof![
        (-1_i32..4).prop_map(Ending::Exited),
        (1_i32..16).prop_map(Ending::Signalled),
        Just(Ending::TimedOut),
        Just(Ending::Stopped),
        Just(Ending::NotStarted("no".to_owned()))
    ];
    let output = prop_oneof![Just("5 tests run"), Just("tests run"), Just("0 tests run"), Just("")];
    gate::law(300, (ending, any::<bool>(), output), |(ending, asks, output)| {
        let figure = asks.then(|| Figure { pattern: "{} tests run".to_owned(), least: 1.0 });
        let verdict = judge_run(&ending, figure.as_ref(), output);
        let success = ending == Ending::Exited(0) && (!asks || output == "5 tests run");
        assert!(verdict.is_green() == success, "{ending:?} with {figure:?} in {output:?} is {verdict:?}");
        // A build that failed prints no count of tests, and the count is not what is wrong with it.
        let by_its_end = judge_run(&ending, None, output);
        assert!(
            by_its_end.is_green() || verdict == by_its_end,
            "{ending:?} is called {verdict:?}: a figure is asked for only where all else is well"
        );
        assert!(verdict.is_red() || success || ending == Ending::Stopped, "{ending:?} is {verdict:?}");
    });
}

/// Several runs are green only if each of them is, and red if one of them is; one that was stopped leaves it open.
///
/// Hole: `agree`.
#[test]
fn repeating_turns_nothing_green() {
    // One run alone is never flaky.
    let one = verdict().prop_filter("one run", |verdict| !matches!(verdict, Verdict::Flaky { .. }));
    let run = prop_oneof![3 => one, 1 => Just(Verdict::Stopped)];
    gate::law(300, vec(run, 1..6), |runs| {
        let together = judge_runs(&runs);
        let green = runs.iter().all(Verdict::is_green);
        assert!(together.is_green() == green, "{runs:?} are {together:?} together");
        let red = runs.iter().any(Verdict::is_red);
        assert!(together.is_red() == red, "{runs:?} are {together:?} together");
        let mixed = red && runs.iter().any(Verdict::is_green);
        let flaky = matches!(together, Verdict::Flaky { .. });
        assert!(flaky == mixed, "{runs:?} are {together:?} together");
    });
}

/// The exit code is 0 only if everything is green, and something is; 1 if anything is red, however much.
///
/// Hole: `code`.
#[test]
fn the_exit_code_is_honest() {
    let any_verdict = prop_oneof![
        4 => Just(Verdict::Passed),
        2 => verdict(),
        1 => Just(Verdict::Stopped),
        1 => Just(Verdict::Skipped { because: "x".to_owned() }),
    ];
    let verdicts = prop_oneof![4 => vec(any_verdict, 0..5), 1 => vec(Just(Verdict::TimedOut), 250..260)];
    gate::law(400, verdicts, |verdicts| {
        let result = |verdict: &Verdict| Resulted {
            name: "x".to_owned(),
            verdict: verdict.clone(),
            took: Duration::ZERO,
            output: Kept::new(0),
        };
        let code = Report::new(verdicts.iter().map(result).collect()).code();
        let green = !verdicts.is_empty() && verdicts.iter().all(Verdict::is_green);
        assert!((code == 0) == green, "an exit code of {code} for {verdicts:?}");
        let red = verdicts.iter().any(Verdict::is_red);
        assert!(!red || code == 1, "something is red, and the exit code is {code} for {verdicts:?}");
        assert!(
            red || green || verdicts.is_empty() || code == 130,
            "nothing is red: {code} for {verdicts:?}"
        );
    });
}
