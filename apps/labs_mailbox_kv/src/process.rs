//! Processes: tasks with an identity, whose end others hear of.
//!
//! **Invariant.** A monitor hears of the end exactly once, however the process ended, and also if it had ended before the
//! monitor was set.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

/// What tells processes apart. Never used twice in one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(u64);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Its work was done.
    Normal,
    /// It panicked.
    Crashed,
    /// It was aborted at an await point.
    Killed,
}

/// The news of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down {
    /// Whose.
    pub id: ProcessId,
    /// How it ended.
    pub exit: Exit,
}

type Watcher = Box<dyn FnOnce(Down) + Send>;

enum State {
    /// With those who want to hear of the end.
    Running(Vec<Watcher>),
    Ended(Exit),
}

struct Inner {
    id: ProcessId,
    state: Mutex<State>,
}

/// A process as others know it. Cheap to clone; it does not keep the process alive.
#[derive(Clone)]
pub struct Pid(Arc<Inner>);

impl Pid {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = ProcessId(NEXT.fetch_add(1, Ordering::Relaxed));
        Self(Arc::new(Inner { id, state: Mutex::new(State::Running(Vec::new())) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Watchers run outside of the lock, so a poisoned state is still a whole one.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells it apart.
    pub fn id(&self) -> ProcessId {
        self.0.id
    }

    /// How many monitors wait for its end.
    pub fn watchers(&self) -> usize {
        match &*self.state() {
            State::Running(watchers) => watchers.len(),
            State::Ended(_) => 0,
        }
    }

    /// Calls `watcher` when the process ends; at once, if it has ended. `watcher` must be quick and must not wait: it
    /// runs where the process ended. Usually it puts a message into the mailbox of whoever watches.
    pub fn monitor(&self, watcher: impl FnOnce(Down) + Send + 'static) {
        //>> monitor
        //? You send a message to a process, it dies, you monitor it. What must you hear?
        //? Who may hold the lock while the watcher runs, if the watcher itself asks this process something?
        let exit = match &mut *self.state() {
            State::Running(watchers) => {
                watchers.push(Box::new(watcher));
                return;
            }
            State::Ended(exit) => *exit,
        };
        watcher(Down { id: self.id(), exit });
        //<<
    }

    fn ended(&self, exit: Exit) {
        let before = std::mem::replace(&mut *self.state(), State::Ended(exit));
        if let State::Running(watchers) = before {
            for watcher in watchers {
                watcher(Down { id: self.id(), exit });
            }
        }
    }
}

/// A process as its starter knows it. Dropping it leaves the process running.
pub struct Process {
    pid: Pid,
    task: AbortHandle,
}

impl Process {
    /// Its identity, to hand out.
    pub fn pid(&self) -> &Pid {
        &self.pid
    }

    /// Ends it at its next await point. A process that never awaits cannot be killed.
    pub fn kill(&self) {
        self.task.abort();
    }
}

/// Starts a process. `body` is handed its own identity.
///
/// A second, sleeping task waits for the first one: tokio's `JoinHandle` is the one place where all three ends, a return,
/// a panic and an abort, can be told apart, and by then everything that the process owned is dropped.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn spawn<F>(body: impl FnOnce(Pid) -> F) -> Process
where
    F: Future<Output = ()> + Send + 'static,
{
    let pid = Pid::new();
    let running = tokio::spawn(body(pid.clone()));
    let task = running.abort_handle();
    let ending = pid.clone();
    tokio::spawn(async move {
        let exit = match running.await {
            Ok(()) => Exit::Normal,
            Err(error) if error.is_panic() => Exit::Crashed,
            Err(_) => Exit::Killed,
        };
        ending.ended(exit);
    });
    Process { pid, task }
}
