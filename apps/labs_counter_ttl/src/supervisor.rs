//! A supervisor: starts its children, restarts those that crash, and gives up when that does not help.
//!
//! **Invariant.** One for one: a crash restarts the child that crashed and touches no other. All restarts count in one window; with one
//! too many all children are stopped, last started first, and nothing is started any more.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};

use crate::intensity::{Intensity, Window};
use crate::server::{Handle, Server, Spec, asked, live};

/// How long a child may take to stop before it is aborted.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// When a child is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// After a crash, but not when its work is done.
    Transient,
    /// Never.
    Temporary,
}

type Life = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The recipe for a child: how to begin a life, as often as need be.
pub struct Child {
    restart: Restart,
    begin: Box<dyn Fn(watch::Receiver<bool>) -> Life + Send>,
}

impl Child {
    /// A child, and the way to it. `start` makes each life's first state; if it panics, that is a crash like any other.
    pub fn new<S: Server>(
        restart: Restart,
        spec: Spec,
        start: impl Fn() -> S + Send + Sync + 'static,
    ) -> (Self, Handle<S::Message>) {
        let handle = Handle::new();
        let (opens, start) = (handle.clone(), Arc::new(start));
        let begin = Box::new(move |stop| {
            // The mailbox is open before the life begins: who calls at once after a restart is not refused.
            let (mailbox, start) = (opens.open(spec.mailbox), start.clone());
            let life: Life = Box::pin(async move { live(|| start(), mailbox, spec.tick, stop).await });
            life
        });
        (Self { restart, begin }, handle)
    }
}

/// How a supervisor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked to stop.
    Stopped,
    /// One restart too many. Whoever started it must know better what to do, or give up in turn.
    GaveUp,
}

/// Children that are to be supervised.
pub struct Supervisor {
    intensity: Intensity,
    children: Vec<Child>,
}

impl Supervisor {
    /// No children yet.
    pub fn new(intensity: Intensity) -> Self {
        Self { intensity, children: Vec::new() }
    }

    /// One more, to be started after those before it and stopped before them.
    pub fn child(mut self, child: Child) -> Self {
        self.children.push(child);
        self
    }

    /// Starts all.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(self) -> Supervised {
        let (stop, asked_to) = watch::channel(false);
        let restarts = Arc::new(AtomicUsize::new(0));
        let mut lives = Lives::new(self.children);
        // Here and not in the task: when `start` returns, every child has its mailbox.
        for child in 0..lives.children.len() {
            lives.begin(child);
        }
        let task = tokio::spawn(supervise(lives, self.intensity, asked_to, restarts.clone()));
        Supervised { stop, task, restarts }
    }
}

/// A running supervisor. Dropping it stops it, as a stop would.
pub struct Supervised {
    stop: watch::Sender<bool>,
    task: JoinHandle<Outcome>,
    restarts: Arc<AtomicUsize>,
}

impl Supervised {
    /// Stops the children, last started first, and waits for them.
    pub async fn stop(self) -> Outcome {
        self.stop.send_replace(true);
        self.ended().await
    }

    /// Waits for the end.
    pub async fn ended(self) -> Outcome {
        // Our own code can't panic there short of a bug; then nothing is supervised any more.
        self.task.await.unwrap_or(Outcome::GaveUp)
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }

    /// How many restarts there were.
    pub fn restarts(&self) -> usize {
        self.restarts.load(Ordering::Relaxed)
    }
}

async fn supervise(
    mut lives: Lives,
    intensity: Intensity,
    mut stop: watch::Receiver<bool>,
    restarts: Arc<AtomicUsize>,
) -> Outcome {
    //>> supervise
    //? A child ended. Which of `Restart`'s three want it back, after a crash, and after its work was done?
    //? It crashes in its very first line, always. What ends the loop?
    let mut window = Window::new(intensity);
    loop {
        let (child, crashed) = tokio::select! {
            biased;
            () = asked(&mut stop) => {
                lives.stop_all().await;
                return Outcome::Stopped;
            }
            ended = lives.next_end() => ended,
        };
        let wanted = match lives.children[child].restart {
            Restart::Permanent => true,
            Restart::Transient => crashed,
            Restart::Temporary => false,
        };
        if !wanted {
            continue;
        }
        if !window.admit(Instant::now()) {
            lives.stop_all().await;
            return Outcome::GaveUp;
        }
        restarts.fetch_add(1, Ordering::Relaxed);
        lives.begin(child);
    }
    //<<
}

/// The lives that are running, by child.
struct Lives {
    children: Vec<Child>,
    running: JoinSet<()>,
    /// Whose life a task is, and how to stop it.
    whose: HashMap<Id, (usize, watch::Sender<bool>)>,
}

impl Lives {
    fn new(children: Vec<Child>) -> Self {
        Self { children, running: JoinSet::new(), whose: HashMap::new() }
    }

    /// Begins a life of a child.
    fn begin(&mut self, child: usize) {
        let (stop, asked_to) = watch::channel(false);
        let task = self.running.spawn((self.children[child].begin)(asked_to));
        self.whose.insert(task.id(), (child, stop));
    }

    /// Waits until a life ends: whose it was, and whether it crashed.
    async fn next_end(&mut self) -> (usize, bool) {
        loop {
            match self.running.join_next_with_id().await {
                Some(ended) => {
                    if let Some(end) = self.end_of(ended) {
                        return end;
                    }
                }
                // Nobody is left to end. A stop may still come.
                None => std::future::pending().await,
            }
        }
    }

    fn end_of(&mut self, ended: Result<(Id, ()), JoinError>) -> Option<(usize, bool)> {
        let (id, crashed) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), true),
        };
        self.whose.remove(&id).map(|(child, _)| (child, crashed))
    }

    /// Stops those that run, last child first, each within its time.
    async fn stop_all(&mut self) {
        for child in (0..self.children.len()).rev() {
            let Some((id, stop)) =
                self.whose.iter().find_map(|(id, (whose, stop))| (*whose == child).then_some((*id, stop)))
            else {
                continue;
            };
            stop.send_replace(true);
            let gone = async {
                while self.whose.contains_key(&id) {
                    self.next_end().await;
                }
            };
            if timeout(SHUTDOWN, gone).await.is_err() {
                // It never came back to its loop; it is aborted when it does.
                self.whose.remove(&id);
            }
        }
        self.running.abort_all();
    }
}
