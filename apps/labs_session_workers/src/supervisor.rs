//! The dynamic supervisor: who runs, and who comes back after a crash.
//!
//! **Invariant.** The table has exactly the workers that run. Starting, stopping and restarting one waits for no other. A session that
//! crashes again and again is given up alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};

use crate::address::{Address, End, Post};
use crate::intensity::Window;
use crate::life::{OpenError, Session, live};
use crate::registry::Name;
use crate::sessions::Limits;

/// Why a worker was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// As many workers run as may run.
    #[error("as many sessions are awake as may be; nothing was done")]
    Full,
    /// It is shutting down.
    #[error("the sessions are shutting down; nothing was done")]
    Closing,
}

/// What came of a shutdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Workers that ended in good order.
    pub ended: usize,
    /// Workers that had to be aborted, or crashed on their way out.
    pub aborted: usize,
}

/// What the supervisor can be told.
pub(crate) enum Command<S: Session> {
    /// Start a worker under a name that was claimed for it.
    Start(Name<S::Key, S::Message>, Post<S::Message>),
    /// Stop all, abort whoever is not gone in time.
    ShutDown(Duration, oneshot::Sender<Report>),
}

/// What is kept of a worker that runs. The fields are dropped in this order: first the key is free, then those who wait for the end
/// hear of it.
struct Worker<S: Session> {
    name: Name<S::Key, S::Message>,
    end: watch::Sender<End>,
    stop: Arc<Notify>,
    crashes: Window,
}

pub(crate) struct Supervisor<S: Session> {
    limits: Limits,
    world: Arc<S::World>,
    running: JoinSet<Result<(), OpenError>>,
    workers: HashMap<Id, Worker<S>>,
    closing: bool,
}

/// How one life of a worker ended.
enum Ended {
    /// In good order.
    Well,
    /// Its session could not be opened.
    NotOpened(OpenError),
    /// It panicked, or was aborted.
    Crashed,
}

impl<S: Session> Supervisor<S> {
    pub(crate) fn new(limits: Limits, world: Arc<S::World>) -> Self {
        Self { limits, world, running: JoinSet::new(), workers: HashMap::new(), closing: false }
    }

    /// Runs until nobody has a handle any more; what still runs then is aborted with the `JoinSet`.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command<S>>) {
        loop {
            tokio::select! {
                biased;
                Some(ended) = self.running.join_next_with_id() => self.joined(ended),
                command = commands.recv() => match command {
                    Some(Command::Start(name, post)) => self.start(name, post),
                    Some(Command::ShutDown(grace, reply)) => {
                        let _ = reply.send(self.shut_down(grace).await);
                    }
                    None => return,
                },
            }
        }
    }

    /// Starts a worker, or tells those who wait in its mailbox already why not.
    fn start(&mut self, name: Name<S::Key, S::Message>, post: Post<S::Message>) {
        let refused = if self.closing {
            Refused::Closing
        } else if self.workers.len() >= self.limits.workers {
            Refused::Full
        } else {
            return self.begin(name, post, Window::new(self.limits.intensity));
        };
        // Whoever hears of it may try again, and finds the name free.
        drop(name);
        post.end.send_replace(End::Refused(refused));
    }

    /// Begins a life under a name.
    fn begin(&mut self, name: Name<S::Key, S::Message>, post: Post<S::Message>, crashes: Window) {
        let Post { mailbox, stop, end } = post;
        let (key, world, idle) = (name.key().clone(), self.world.clone(), self.limits.idle);
        let task = self.running.spawn(live::<S>(key, world, mailbox, stop.clone(), idle));
        self.workers.insert(task.id(), Worker { name, end, stop, crashes });
    }

    fn joined(&mut self, joined: Result<(Id, Result<(), OpenError>), JoinError>) {
        let (id, ended) = match joined {
            Ok((id, Ok(()))) => (id, Ended::Well),
            Ok((id, Err(error))) => (id, Ended::NotOpened(error)),
            Err(error) => (error.id(), Ended::Crashed),
        };
        if let Some(worker) = self.workers.remove(&id) {
            self.ended(worker, ended);
        }
    }

    /// A worker's task is over and all that it owned is dropped; its name is still taken.
    fn ended(&mut self, mut worker: Worker<S>, ended: Ended) {
        //>> ended
        //? Three ends: which of them wants a restart, and which is an answer?
        //? Between two lives somebody else may want the key. Is it ever free?
        //? `worker` is out of the table. What happens to its name when you drop it, and to those who wait for its end?
        match ended {
            Ended::Well => {}
            Ended::NotOpened(OpenError(why)) => {
                let Worker { name, end, .. } = worker;
                // Whoever hears of it may try again, and finds the name free.
                drop(name);
                end.send_replace(End::NotOpened(why));
            }
            Ended::Crashed => {
                if self.closing || !worker.crashes.admit(Instant::now()) {
                    return;
                }
                let (address, post) = Address::new(self.limits.mailbox);
                if worker.name.renew(&address) {
                    // The former life's `end` is dropped here, after the name has its new address.
                    let Worker { name, crashes, .. } = worker;
                    self.begin(name, post, crashes);
                }
            }
        }
        //<<
    }

    /// Stops all at once, waits for at most `grace`, aborts the rest.
    async fn shut_down(&mut self, grace: Duration) -> Report {
        self.closing = true;
        let mut report = Report::default();
        //>> shutdown
        //? Ten thousand workers take a second each to close. How long does a shutdown take?
        //? One never comes to its end. Whom may it hold up?
        let deadline = Instant::now() + grace;
        for worker in self.workers.values() {
            worker.stop.notify_one();
        }
        while let Ok(Some(joined)) = timeout_at(deadline, self.running.join_next_with_id()).await {
            match &joined {
                Ok(_) => report.ended += 1,
                Err(_) => report.aborted += 1,
            }
            self.joined(joined);
        }
        self.running.abort_all();
        while let Some(joined) = self.running.join_next_with_id().await {
            report.aborted += 1;
            self.joined(joined);
        }
        report
        //<<
    }
}
