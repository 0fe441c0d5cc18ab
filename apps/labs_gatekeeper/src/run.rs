//! The imperative shell: a thread for each running check, and one loop that asks the schedule.
//!
//! **Invariant.** It returns when every check has its verdict, and then no process that it started is left.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::kept::Kept;
use crate::plan::{Check, Plan};
use crate::process::{Limits, News, Process};
use crate::report::{Report, Resulted};
use crate::schedule::Schedule;
use crate::verdict::{Ending, Verdict, judge_run, judge_runs};

/// How a plan is run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Checks that run at the same time, at most.
    pub jobs: usize,
    /// After a red check, the others go on.
    pub keep_going: bool,
    /// How long a process may take to end once it was asked to.
    pub grace: Duration,
    /// Bytes that are kept of a check's output.
    pub output: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { jobs: 2, keep_going: false, grace: Duration::from_secs(5), output: 256 * 1024 }
    }
}

/// What happens, as it happens.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A check was started.
    Started(&'a Check),
    /// A check has its verdict.
    Ended(&'a Resulted),
}

/// What the loop hears.
enum Message {
    /// With the panic, if the gate itself has a fault.
    Ended(usize, thread::Result<Resulted>),
    Stop,
}

/// Asks a running gate to stop; may be used from any thread, before it runs and while it does.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Mutex<Asked>>);

#[derive(Debug, Default)]
struct Asked {
    asked: bool,
    gate: Option<Sender<Message>>,
}

impl Stop {
    /// Ends what runs, and starts nothing more.
    pub fn ask(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked = true;
        if let Some(gate) = &state.gate {
            let _ = gate.send(Message::Stop);
        }
    }

    fn told_to(&self, gate: &Sender<Message>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.asked {
            let _ = gate.send(Message::Stop);
        }
        state.gate = Some(gate.clone());
    }
}

/// Runs all checks of a plan, and tells what happens.
pub fn run(plan: &Plan, settings: &Settings, stop: &Stop, mut tell: impl FnMut(Event<'_>)) -> Report {
    let checks = plan.checks();
    let mut schedule = Schedule::new(plan, settings.jobs, settings.keep_going);
    let mut results: Vec<Option<Resulted>> = vec![None; checks.len()];
    let (sender, messages) = channel();
    stop.told_to(&sender);
    let mut running: HashMap<usize, Sender<News>> = HashMap::new();
    loop {
        for place in schedule.start() {
            tell(Event::Started(&checks[place]));
            let (news, heard) = channel();
            running.insert(place, news.clone());
            let (check, settings, done) = (checks[place].clone(), *settings, sender.clone());
            thread::spawn(move || {
                let ended = catch_unwind(AssertUnwindSafe(|| run_check(&check, &settings, &news, &heard)));
                let _ = done.send(Message::Ended(place, ended));
            });
        }
        // What was skipped never runs; the schedule alone knows its verdict.
        for (place, check) in checks.iter().enumerate() {
            if let (None, Some(verdict), false) =
                (&results[place], schedule.verdict(place), running.contains_key(&place))
            {
                let skipped = Resulted::without_a_run(check, verdict.clone());
                tell(Event::Ended(&skipped));
                results[place] = Some(skipped);
            }
        }
        if schedule.is_over() {
            break;
        }
        let to_stop = match messages.recv() {
            Ok(Message::Ended(place, resulted)) => {
                running.remove(&place);
                let resulted = resulted.unwrap_or_else(|panic| resume_unwind(panic));
                tell(Event::Ended(&resulted));
                let to_stop = schedule.ended(place, resulted.verdict.clone());
                results[place] = Some(resulted);
                to_stop
            }
            Ok(Message::Stop) => schedule.stop(),
            // We hold a sender ourselves.
            Err(_) => break,
        };
        for news in to_stop.iter().filter_map(|place| running.get(place)) {
            let _ = news.send(News::Stop);
        }
    }
    Report::new(results.into_iter().flatten().collect())
}

/// One check, as often as it is to be repeated. It ends early where more runs would change nothing.
fn run_check(check: &Check, settings: &Settings, news: &Sender<News>, heard: &Receiver<News>) -> Resulted {
    let limits = Limits { time: check.time, grace: settings.grace, output: settings.output };
    let (mut runs, mut took, mut output) = (Vec::new(), Duration::ZERO, Kept::new(settings.output));
    for _ in 0..check.repeat {
        let verdict = match Process::start(check, settings.output, news.clone()) {
            Ok(process) => {
                let run = process.run(heard, &limits);
                took += run.took;
                let verdict = judge_run(&run.ending, check.figure.as_ref(), &run.output.text());
                // The output of the first run that failed is the one that says why.
                if runs.iter().all(Verdict::is_green) {
                    output = run.output;
                }
                verdict
            }
            Err(reason) => judge_run(&Ending::NotStarted(reason), None, ""),
        };
        let over = matches!(verdict, Verdict::Stopped | Verdict::TimedOut | Verdict::NotStarted { .. });
        runs.push(verdict);
        if over {
            break;
        }
    }
    Resulted { name: check.name.clone(), verdict: judge_runs(&runs), took, output }
}
