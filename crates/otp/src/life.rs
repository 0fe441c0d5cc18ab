//! The life of a process: mailbox, phase, watchers, owner and names, in one allocation.
//!
//! Invariant: a process goes Running, Closed, Dead and never back. Closed means that no message gets in any
//! more; Dead means that its state is dropped, its names are free and its supervisor knows. No user code runs
//! (but the question of `pop_if`) and no other process is touched while the lock is held; only timer queues are locked inside it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use parking_lot::{Mutex, MutexGuard};

use crate::exit::Exit;
use crate::mailbox::Mailbox;
use crate::process::{Hook, Name, Owner, Process, ServerId, ServerInfo, WatchId, quietly};
use crate::timer::{IdleTimer, TimerKey, TimerRef};

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

    /// Queues a message and returns its number for [`Core::was_taken`].
    pub(crate) fn push(&self, message: M) -> Result<u64, Refused<M>> {
        let (number, waker) = {
            let mut state = self.state.lock();
            if state.phase != Phase::Running {
                return Err(Refused::Closed(message));
            }
            match state.mailbox.push(message) {
                Ok(number) => (number, state.unpark()),
                Err(message) => return Err(Refused::Full(message)),
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(number)
    }

    /// Queues a message of the runtime whatever the capacity says. Lost if the server no longer runs.
    pub(crate) fn push_system(&self, message: M) -> bool {
        let waker = {
            let mut state = self.state.lock();
            if state.phase != Phase::Running {
                drop(state);
                quietly(|| drop(message));
                return false;
            }
            state.mailbox.push_beyond_capacity(message);
            state.unpark()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Whether the server took the message with this number.
    pub(crate) fn was_taken(&self, number: u64) -> bool {
        self.state.lock().mailbox.taken() > number
    }

    /// Queues a message, or registers the waker to be woken when there may be room.
    pub(crate) fn poll_push(&self, ticket: WatchId, message: M, waker: &Waker) -> Result<(), Refused<M>> {
        let task = {
            let mut state = self.state.lock();
            if state.phase != Phase::Running {
                return Err(Refused::Closed(message));
            }
            match state.mailbox.push(message) {
                Ok(_) => state.unpark(),
                Err(message) => {
                    let senders = &mut state.extra().senders;
                    match senders.iter_mut().find(|(id, _)| *id == ticket) {
                        Some((_, old)) => old.clone_from(waker),
                        None => senders.push_back((ticket, waker.clone())),
                    }
                    return Err(Refused::Full(message));
                }
            }
        };
        if let Some(task) = task {
            task.wake();
        }
        Ok(())
    }

    /// A waiting sender gives up. If it was already woken, its turn goes to the next one.
    pub(crate) fn leave_senders(&self, ticket: WatchId) {
        let next = {
            let mut state = self.state.lock();
            let full = state.mailbox.is_full();
            let Some(extra) = state.extra.as_mut() else { return };
            let before = extra.senders.len();
            extra.senders.retain(|(id, _)| *id != ticket);
            let was_woken = extra.senders.len() == before;
            if was_woken && !full { extra.senders.pop_front() } else { None }
        };
        if let Some((_, waker)) = next {
            waker.wake();
        }
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

    /// The server's next step: a stop goes before messages, a message before idleness.
    pub(crate) fn poll_next(self: &Arc<Self>) -> Poll<Next<M>> {
        let mut state = self.state.lock();
        if let Some(exit) = &state.exit {
            return Poll::Ready(Next::Stop(exit.clone()));
        }
        if let Some(message) = state.mailbox.pop() {
            Self::taken(state);
            return Poll::Ready(Next::Message(message));
        }
        if std::mem::take(&mut state.idle_due) {
            return Poll::Ready(Next::Idle);
        }
        state.mailbox.rest();
        state.parked = true;
        if let Some(idle) = &mut state.idle {
            idle.rest(|| self.clone());
        }
        Poll::Pending
    }

    /// The next message, if there is one now and it is wanted. Nothing once a stop was asked for.
    pub(crate) fn pop_if(&self, wanted: impl FnOnce(&M) -> bool) -> Option<M> {
        let mut state = self.state.lock();
        if state.exit.is_some() || !state.mailbox.front().is_some_and(wanted) {
            return None;
        }
        let message = state.mailbox.pop();
        Self::taken(state);
        message
    }

    /// What follows from a message that was taken: the server is not idle, and there is room for one more.
    fn taken(mut state: MutexGuard<'_, State<M>>) {
        state.idle_due = false;
        let sender = state.extra.as_mut().and_then(|extra| extra.senders.pop_front());
        if let Some(idle) = &mut state.idle {
            idle.busy();
        }
        drop(state);
        if let Some((_, waker)) = sender {
            waker.wake();
        }
    }

    /// Starts, changes or (with `None`) ends the idle timer.
    pub(crate) fn set_idle(&self, timer: Option<IdleTimer>) {
        let old = {
            let mut state = self.state.lock();
            state.idle_due = false;
            std::mem::replace(&mut state.idle, timer.map(Box::new))
        };
        if let Some(mut old) = old {
            old.cancel();
        }
    }

    /// Closes the mailbox for good if nothing is queued, and asks for a normal stop.
    pub(crate) fn stop_if_empty(&self) -> bool {
        let mut state = self.state.lock();
        if !state.mailbox.is_empty() || state.phase != Phase::Running {
            return state.phase != Phase::Running;
        }
        state.phase = Phase::Closed;
        state.exit.get_or_insert(Exit::Normal);
        let senders = take_senders(&mut state);
        drop(state);
        wake_all(senders);
        true
    }

    /// Lets no further message in; what is queued dies here, so that its callers know at once.
    pub(crate) fn close(&self, exit: Option<Exit>) {
        let (lost, senders, waker) = {
            let mut state = self.state.lock();
            if state.phase == Phase::Dead {
                return;
            }
            state.phase = Phase::Closed;
            state.parked = false;
            let exit_asked = exit.is_some();
            if let Some(exit) = exit {
                state.exit.get_or_insert(exit);
            }
            let waker = if exit_asked { state.task.clone() } else { None };
            (state.mailbox.drain(), take_senders(&mut state), waker)
        };
        for message in lost {
            quietly(|| drop(message));
        }
        wake_all(senders);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ties a name to the process, or gives it back if the process no longer runs.
    pub(crate) fn attach_name(&self, name: Box<dyn Name>) -> Result<(), Box<dyn Name>> {
        let mut state = self.state.lock();
        if state.phase != Phase::Running {
            return Err(name);
        }
        if state.name.is_none() {
            state.name = Some(name);
        } else {
            state.extra().names.push(name);
        }
        Ok(())
    }

    /// Ties a timer to the process: it is cancelled when the process ends.
    pub(crate) fn attach_timer(&self, timer: TimerRef) {
        let late = {
            let mut state = self.state.lock();
            if state.phase == Phase::Running {
                let timers = &mut state.extra().timers;
                if timers.len() == timers.capacity() {
                    timers.retain(TimerRef::is_pending);
                }
                timers.push(timer);
                None
            } else {
                Some(timer)
            }
        };
        if let Some(timer) = late {
            timer.cancel();
        }
    }

    /// Remembers that this process watches another one. False if it is no longer running.
    pub(crate) fn begin_watching(&self, target: Arc<dyn Process>, id: WatchId) -> bool {
        let mut state = self.state.lock();
        let running = state.phase == Phase::Running;
        if running {
            state.extra().watching.push((target, id));
        }
        running
    }

    /// Forgets a watch and returns its target.
    pub(crate) fn end_watching(&self, id: WatchId) -> Option<Arc<dyn Process>> {
        let mut state = self.state.lock();
        let watching = &mut state.extra.as_mut()?.watching;
        let at = watching.iter().position(|(_, watch)| *watch == id)?;
        Some(watching.swap_remove(at).0)
    }

    fn release_names(&self) {
        let (name, names) = {
            let mut state = self.state.lock();
            let names = state.extra.as_mut().map(|extra| std::mem::take(&mut extra.names));
            (state.name.take(), names.unwrap_or_default())
        };
        for name in name.into_iter().chain(names) {
            quietly(|| name.release(self.id));
        }
    }

    /// The last act of a process; its state is already dropped.
    fn finish(&self, exit: &Exit) {
        self.close(None);
        self.set_idle(None);
        self.release_names();
        let (watching, timers) = {
            let mut state = self.state.lock();
            state.extra.as_mut().map_or_else(Default::default, |extra| {
                (std::mem::take(&mut extra.watching), std::mem::take(&mut extra.timers))
            })
        };
        for (target, id) in watching {
            target.unwatch(id);
        }
        timers.iter().for_each(TimerRef::cancel);
        if let Some(owner) = &self.owner {
            quietly(|| owner.parent.clone().child_down(owner.key, self.id, self.was_ready(), exit));
        }
        self.bury(exit);
    }

    /// Makes the process dead and tells those who wait for it. By itself it is the end of a process that never
    /// had a task, so that nobody waits for it in vain.
    pub(crate) fn bury(&self, exit: &Exit) {
        self.close(None);
        let (extra, task) = {
            let mut state = self.state.lock();
            state.phase = Phase::Dead;
            state.exit = Some(exit.clone());
            (state.extra.take(), state.task.take())
        };
        drop(task);
        for (_, watcher) in extra.map(|extra| extra.watchers).unwrap_or_default() {
            match watcher {
                Watcher::Task(waker) => waker.wake(),
                Watcher::Hook(hook) => quietly(|| hook(exit)),
            }
        }
    }
}

impl<M: Send + 'static> Process for Core<M> {
    fn id(&self) -> ServerId {
        self.id
    }

    fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    fn request_stop(&self, exit: Exit) {
        self.close(Some(exit));
    }

    fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        let waker = self.state.lock().task.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn abandon(&self) {
        self.close(Some(Exit::Killed));
        self.release_names();
    }

    fn is_running(&self) -> bool {
        self.state.lock().phase == Phase::Running
    }

    fn info(&self) -> ServerInfo {
        let state = self.state.lock();
        ServerInfo {
            id: self.id,
            running: state.phase == Phase::Running,
            mailbox_len: state.mailbox.len(),
            mailbox_capacity: state.mailbox.capacity(),
            handled: state.mailbox.taken(),
            monitored_by: state.extra.as_ref().map_or(0, |extra| extra.watchers.len()),
            monitoring: state.extra.as_ref().map_or(0, |extra| extra.watching.len()),
        }
    }

    fn was_ready(&self) -> bool {
        let state = self.state.lock();
        state.ready && state.task.is_some()
    }

    fn watch(&self, id: WatchId, hook: Hook) {
        let exit = {
            let mut state = self.state.lock();
            if state.phase != Phase::Dead {
                state.extra().watchers.push((id, Watcher::Hook(hook)));
                return;
            }
            state.exit.clone()
        };
        hook(&exit.unwrap_or(Exit::Killed));
    }

    fn unwatch(&self, id: WatchId) {
        let gone = {
            let mut state = self.state.lock();
            state.extra.as_mut().and_then(|extra| {
                let at = extra.watchers.iter().position(|(watch, _)| *watch == id)?;
                Some(extra.watchers.swap_remove(at))
            })
        };
        quietly(|| drop(gone));
    }

    fn poll_exit(&self, id: WatchId, waker: &Waker) -> Poll<Exit> {
        let mut state = self.state.lock();
        if state.phase == Phase::Dead {
            return Poll::Ready(state.exit.clone().unwrap_or(Exit::Killed));
        }
        let watchers = &mut state.extra().watchers;
        match watchers.iter_mut().find(|(watch, _)| *watch == id) {
            Some((_, watcher)) => *watcher = Watcher::Task(waker.clone()),
            None => watchers.push((id, Watcher::Task(waker.clone()))),
        }
        Poll::Pending
    }

    fn idle_timer_fired(self: Arc<Self>, key: TimerKey, now: u64) {
        let waker = {
            let mut state = self.state.lock();
            let parked = state.parked;
            let again: Arc<dyn Process> = self.clone();
            if state.idle.as_mut().is_some_and(|idle| idle.fired(key, now, parked, again)) {
                state.idle_due = true;
                state.unpark()
            } else {
                None
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Owned by the server's task: whatever ends the task, the process ends in order.
pub(crate) struct Life<M: Send + 'static> {
    pub(crate) core: Arc<Core<M>>,
    /// Set when the task ends by itself; a task that is dropped was killed.
    pub(crate) exit: Option<Exit>,
}

impl<M: Send + 'static> Life<M> {
    pub(crate) fn new(core: Arc<Core<M>>) -> Self {
        Self { core, exit: None }
    }
}

impl<M: Send + 'static> Drop for Life<M> {
    fn drop(&mut self) {
        let exit = self.exit.take().unwrap_or(Exit::Killed);
        self.core.finish(&exit);
    }
}

fn take_senders<M>(state: &mut State<M>) -> VecDeque<(WatchId, Waker)> {
    state.extra.as_mut().map(|extra| std::mem::take(&mut extra.senders)).unwrap_or_default()
}

fn wake_all(senders: VecDeque<(WatchId, Waker)>) {
    for (_, waker) in senders {
        waker.wake();
    }
}
