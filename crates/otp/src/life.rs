//! The life of a process: mailbox, phase, watchers, owner and names, in one allocation.
//!
//! Invariant: a process goes Running, Closed, Dead and never back. Closed means that no message gets in any
//! more; Dead means that its state is dropped, its names are free and its supervisor knows. No user code runs
//! (but the question of `pop_if`) and no other process is touched while the lock is held; only timer queues are locked inside it.

mod end;
mod queue;
mod watched;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

use crate::exit::Exit;
use crate::mailbox::Mailbox;
use crate::process::{Hook, Name, Owner, Process, ServerId, WatchId};
use crate::timer::{IdleTimer, TimerRef};
pub(crate) use end::Life;

enum Watcher {
    Task(Waker),
    Hook(Hook),
}

/// What the server's loop does next.
pub(crate) enum Next<M> {
    Message(M),
    Idle,
    Stop(Exit),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Closed,
    Dead,
}

/// Why a message was not queued.
pub(crate) enum Refused<M> {
    Full(M),
    Closed(M),
}

pub(crate) struct Core<M> {
    id: ServerId,
    owner: Option<Owner>,
    /// Read at every poll of the task, without the lock.
    killed: AtomicBool,
    state: Mutex<State<M>>,
}

struct State<M> {
    mailbox: Mailbox<M>,
    /// Wakes the server's task. Set when the task first runs, dropped when the process is dead.
    task: Option<Waker>,
    /// While Running and Closed the reason of a requested stop, when Dead the reason of the end.
    exit: Option<Exit>,
    /// The first name; further ones lie in `extra`.
    name: Option<Box<dyn Name>>,
    idle: Option<Box<IdleTimer>>,
    /// What few servers need, so that idle ones do not pay for it.
    extra: Option<Box<Extra>>,
    phase: Phase,
    ready: bool,
    /// The task waits for a message: a sender must wake it.
    parked: bool,
    idle_due: bool,
}

#[derive(Default)]
struct Extra {
    watchers: Vec<(WatchId, Watcher)>,
    /// Casts that wait for room.
    senders: VecDeque<(WatchId, Waker)>,
    /// Processes that this one monitors; taken back when it ends.
    watching: Vec<(Arc<dyn Process>, WatchId)>,
    names: Vec<Box<dyn Name>>,
    timers: Vec<TimerRef>,
}

impl<M> State<M> {
    fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_with(Box::default)
    }

    /// The waker to call after the lock is released, if the task sleeps.
    fn unpark(&mut self) -> Option<Waker> {
        if !self.parked {
            return None;
        }
        self.parked = false;
        self.task.clone()
    }
}

impl<M: Send + 'static> Core<M> {
    pub(crate) fn new(capacity: u32, owner: Option<Owner>) -> Arc<Self> {
        Arc::new(Self {
            id: ServerId::next(),
            owner,
            killed: AtomicBool::new(false),
            state: Mutex::new(State {
                mailbox: Mailbox::new(capacity.max(1)),
                task: None,
                exit: None,
                name: None,
                idle: None,
                extra: None,
                phase: Phase::Running,
                ready: false,
                parked: false,
                idle_due: false,
            }),
        })
    }

    /// The server's task introduces itself; from now on stops and messages wake it.
    pub(crate) fn attach(&self, waker: &Waker) {
        let mut state = self.state.lock();
        match &mut state.task {
            Some(task) => task.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// The reason of a stop that somebody asked for.
    pub(crate) fn requested_exit(&self) -> Option<Exit> {
        self.state.lock().exit.clone()
    }

    pub(crate) fn mark_ready(&self) {
        self.state.lock().ready = true;
    }
}
