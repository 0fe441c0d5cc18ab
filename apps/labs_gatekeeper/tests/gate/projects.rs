//! Small projects with checks made of shell scripts, some with a mistake planted in them.

use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

use labs_gatekeeper::{Plan, Report, Settings, Stop, Verdict, run};
use tempfile::TempDir;

/// Much longer than any of these projects takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// A project in a folder of its own.
pub(crate) struct Project {
    folder: TempDir,
    toml: String,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder"), toml: String::new() }
    }

    /// Adds a check that is a script; `more` are further lines of TOML.
    pub(crate) fn check(mut self, name: &str, script: &str, more: &str) -> Self {
        let folder = self.folder.path().display().to_string();
        let _ = writeln!(
            self.toml,
            "[[check]]\nname = {name:?}\nrun = [\"sh\", \"-c\", {script:?}]\nfolder = {folder:?}\n{more}"
        );
        self
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan::read(&self.toml).unwrap_or_else(|error| panic!("{error} in\n{}", self.toml))
    }

    /// Runs it with two jobs, until something is red.
    pub(crate) fn run(&self) -> Report {
        self.run_as(&SETTINGS)
    }

    pub(crate) fn run_as(&self, settings: &Settings) -> Report {
        let (plan, settings) = (self.plan(), *settings);
        let (done, ended) = channel();
        let gate = spawn(move || {
            let report = run(&plan, &settings, &Stop::default(), |_| {});
            let _ = done.send(());
            report
        });
        // A gate that has panicked has dropped its end, and is heard of at once.
        let still_running = ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        assert!(!still_running, "the gate did not come to its end: it waits for a verdict or for a process");
        gate.join().unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// What a script has written to a file in the folder, by lines.
    pub(crate) fn lines(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

pub(crate) const SETTINGS: Settings =
    Settings { jobs: 2, keep_going: false, grace: Duration::from_millis(500), output: 64 * 1024 };

pub(crate) const KEEP_GOING: Settings = Settings { keep_going: true, ..SETTINGS };

/// The verdict of the check with this name.
pub(crate) fn verdict<'r>(report: &'r Report, name: &str) -> &'r Verdict {
    let result = report.results().iter().find(|result| result.name == name);
    &result.unwrap_or_else(|| panic!("no result of {name} in {report:?}")).verdict
}

/// What the check with this name has printed, as it was kept.
pub(crate) fn printed(report: &Report, name: &str) -> String {
    let result = report.results().iter().find(|result| result.name == name);
    result.map(|result| result.output.text()).unwrap_or_default()
}

/// Whether a process still does something; one that has ended and that nobody has reaped does not.
pub(crate) fn is_alive(id: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start().chars().next();
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// Waits for the end of a process that was told to end; the test's own limit ends the wait.
pub(crate) fn wait_for_the_end_of(id: &str) {
    for _ in 0..400 {
        if !is_alive(id) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("process {id} was left running");
}
