//! One process, from its start to the end of everything that it has started.
//!
//! **Invariant.** It is the leader of a process group of its own, and when [`Process::run`] returns, nobody of that group is alive. Its output is
//! read to the end however much it is: a full pipe would stop it for ever. No wait is without a limit.

use std::io::{PipeReader, Read, pipe};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::kept::Kept;
use crate::plan::Check;
use crate::verdict::Ending;

/// The bounds of a run.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may take.
    pub time: Duration,
    /// How long it may take to end once it was asked to.
    pub grace: Duration,
    /// Bytes of its output that are kept.
    pub output: usize,
}

/// What a waiting gate hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The process has ended. What it started may not have.
    Ended,
    /// End it: the gate is stopping.
    Stop,
}

/// One run of a check.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub ending: Ending,
    /// What it printed, on both its outputs.
    pub output: Kept,
    /// How long it took.
    pub took: Duration,
}

/// A process group, by the process that leads it. Its number is not given to another one as long as the leader was not reaped.
#[derive(Debug, Clone, Copy)]
pub struct Group(Pid);

impl Group {
    /// Asks all of it to end.
    pub fn terminate(self) {
        self.signal(Signal::TERM);
    }

    /// Ends all of it.
    pub fn kill(self) {
        self.signal(Signal::KILL);
    }

    fn signal(self, signal: Signal) {
        // The one error that is possible here says that nobody is left.
        let _ = kill_process_group(self.0, signal);
    }
}

/// A process that was started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Group,
    kept: Arc<Mutex<Kept>>,
    /// Comes when the last one that could print has ended.
    silent: Receiver<()>,
    started: Instant,
    /// From here on the group's number may belong to somebody else.
    reaped: bool,
}

/// Whatever happens to us, nothing of it is left running.
impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.group.kill();
            let _ = self.child.wait();
        }
    }
}

impl Process {
    /// Starts a check; who has the other end of `news` will hear when it ends.
    pub fn start(check: &Check, output: usize, news: Sender<News>) -> Result<Self, String> {
        let (program, arguments) = check.run.split_first().ok_or("it runs nothing")?;
        let (reader, writer) = pipe().map_err(|error| format!("there is no pipe for its output: {error}"))?;
        let mut command = Command::new(program);
        command.args(arguments).envs(&check.env).stdin(Stdio::null()).process_group(0);
        command.stdout(writer.try_clone().map_err(|error| error.to_string())?).stderr(writer);
        if let Some(folder) = &check.folder {
            command.current_dir(folder);
        }
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{program} can't be started: {error}"))?;
        // The command holds our ends of the pipe: without this, it would never be over.
        drop(command);
        let pid = Pid::from_child(&child);
        let kept = Arc::new(Mutex::new(Kept::new(output)));
        let (silent, was_silent) = channel();
        let into = Arc::clone(&kept);
        thread::spawn(move || {
            drain(reader, &into);
            let _ = silent.send(());
        });
        thread::spawn(move || {
            // Looks without reaping: until the group was killed, the number must stay taken.
            while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
                .is_err_and(|error| error == rustix::io::Errno::INTR)
            {}
            let _ = news.send(News::Ended);
        });
        Ok(Self { child, group: Group(pid), kept, silent: was_silent, started, reaped: false })
    }

    /// Waits for its end, within its limits, and for that of all that it has started.
    pub fn run(mut self, news: &Receiver<News>, limits: &Limits) -> Run {
        let ended = wait(news, self.group, limits);
        let took = self.started.elapsed();
        let status = self.child.wait();
        self.reaped = true;
        let ending = match (ended, status) {
            (Some(ending), _) => ending,
            (None, Ok(status)) => ending_of(status),
            (None, Err(error)) => Ending::NotStarted(format!("its end can't be read: {error}")),
        };
        // Whoever has left the group may still hold the pipe; what was printed until now will do.
        let _ = self.silent.recv_timeout(limits.grace);
        let output = lock(&self.kept).clone();
        Run { ending, output, took }
    }
}

/// Waits until the process has ended, or until it must; at the end nobody of its group is left. Returns how it ended if it was not by
/// itself.
fn wait(news: &Receiver<News>, group: Group, limits: &Limits) -> Option<Ending> {
    //>> wait
    //? A shell starts a server and is killed. Who still runs, and who holds the pipe that you read? What of one that does not listen to TERM?
    let ending = match news.recv_timeout(limits.time) {
        Ok(News::Ended) => None,
        Ok(News::Stop) => Some(Ending::Stopped),
        Err(_) => Some(Ending::TimedOut),
    };
    if ending.is_some() {
        group.terminate();
        let until = Instant::now() + limits.grace;
        while news.recv_timeout(until.saturating_duration_since(Instant::now())) == Ok(News::Stop) {}
    }
    group.kill();
    ending
    //<<
}

fn ending_of(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(signal)) => Ending::Signalled(signal),
        (None, None) => Ending::NotStarted("it ended without a code or a signal".to_owned()),
    }
}

/// Reads to the end, whatever is kept of it.
fn drain(mut reader: PipeReader, into: &Mutex<Kept>) {
    let mut buffer = [0; 8192];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => lock(into).push(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
