//! The end of a process: its mailbox closes, its names, timers and watches are given back, its supervisor knows, it is dead.
//!
//! Invariant: whatever ends the server's task, [`Life`] runs this once and in that order. What is dropped on the way (messages,
//! names, hooks) may panic and keeps nothing else from its turn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use super::{Core, Phase, State, Watcher};
use crate::exit::Exit;
use crate::process::{Name, Process, WatchId, quietly};
use crate::timer::TimerRef;

impl<M: Send + 'static> Core<M> {
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

    pub(super) fn release_names(&self) {
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
