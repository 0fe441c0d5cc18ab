//! A process as others see it: asked to stop, killed, watched, looked at.
//!
//! Invariant: a watcher hears of the end once, also if it comes to watch after the end; one that leaves hears nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, Waker};

use super::{Core, Phase, Watcher};
use crate::exit::Exit;
use crate::process::{Hook, Owner, Process, ServerId, ServerInfo, WatchId, quietly};
use crate::timer::TimerKey;

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
