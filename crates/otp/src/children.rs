//! The table of a dynamic supervisor's children and what happens when one of them ends.
//!
//! Invariant: a child has a place from before its task exists until it is dead, and only the process that has
//! the place can free it or be restarted in it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::addr::{Addr, ServerRef};
use crate::counters::Counters;
use crate::dynamic::Never;
use crate::error::StartError;
use crate::exit::Exit;
use crate::intensity::{Intensity, Window};
use crate::life::{Core, Life};
use crate::process::{Owner, Parent, Process, ServerId, quietly};
use crate::registry::NameFor;
use crate::server::GenServer;
use crate::spec::{KILL_GRACE, Restart, Shutdown, launch, report_leak};

/// A table of at most so many places is kept when the last child goes.
const KEEP: usize = 1_024;

pub(crate) struct Dynamic {
    pub(crate) intensity: Intensity,
    pub(crate) max_children: usize,
    pub(crate) table: Mutex<Table>,
    pub(crate) counters: Counters,
    /// Rung when the last child is gone.
    pub(crate) drained: Notify,
}

pub(crate) struct Table {
    pub(crate) slots: Vec<Slot>,
    /// The head of the chain of vacant slots.
    pub(crate) vacant: Option<u32>,
    pub(crate) live: usize,
    pub(crate) window: Window,
    /// The task through which a parent stops this supervisor; none when it is not running.
    pub(crate) control: Option<Addr<Never>>,
    /// False from the moment at which it begins to stop.
    pub(crate) open: bool,
}

pub(crate) enum Slot {
    Vacant(Option<u32>),
    Child {
        process: Arc<dyn Process>,
        /// How to start it again; none for a temporary child, and for one that is being terminated.
        template: Option<Arc<dyn Template>>,
        shutdown: Shutdown,
    },
}

/// Starts a child again in its old place.
pub(crate) trait Template: Send + Sync {
    fn restart(&self) -> Restart;
    /// Makes the new process and what sets it going.
    fn build(self: Arc<Self>, owner: Owner) -> (Arc<dyn Process>, Box<dyn FnOnce() + Send>);
}

pub(crate) struct Recipe<S: GenServer> {
    pub(crate) factory: Arc<dyn Fn() -> S::Args + Send + Sync>,
    pub(crate) restart: Restart,
    pub(crate) capacity: u32,
    pub(crate) name: Option<Box<dyn NameFor<S::Msg>>>,
}

impl<S: GenServer> Template for Recipe<S> {
    fn restart(&self) -> Restart {
        self.restart
    }

    fn build(self: Arc<Self>, owner: Owner) -> (Arc<dyn Process>, Box<dyn FnOnce() + Send>) {
        let core = Core::<S::Msg>::new(self.capacity, Some(owner));
        // A restarted child that fails in `init` is retried, within the intensity.
        core.mark_ready();
        let process = core.clone();
        let go = move || {
            if let Err(error) = launch::<S>(&core, self.name.as_deref(), || (self.factory)()) {
                // The end is told from a task of its own: a chain of failing restarts must not become recursion.
                let mut life = Life::new(core);
                life.exit = Some(error.into_exit());
                tokio::spawn(std::future::poll_fn(move |cx| {
                    life.core.attach(cx.waker());
                    std::task::Poll::Ready(())
                }));
            }
        };
        (process, Box::new(go))
    }
}

impl Dynamic {
    /// Gives a new process a place.
    pub(crate) fn admit<M: Send + 'static>(
        self: &Arc<Self>,
        capacity: u32,
        shutdown: Shutdown,
        template: Option<Arc<dyn Template>>,
    ) -> Result<(Arc<Core<M>>, u32), StartError<M>> {
        let mut table = self.table.lock();
        if !table.open {
            return Err(StartError::NoSupervisor);
        }
        if table.live >= self.max_children {
            return Err(StartError::MaxChildren);
        }
        let key = match table.vacant {
            Some(key) => key,
            None => u32::try_from(table.slots.len()).map_err(|_| StartError::MaxChildren)?,
        };
        let core = Core::new(capacity, Some(Owner { parent: self.clone(), key }));
        let child = Slot::Child { process: core.clone(), template, shutdown };
        match table.slots.get_mut(key as usize) {
            None => table.slots.push(child),
            Some(slot) => {
                if let Slot::Vacant(next) = std::mem::replace(slot, child) {
                    table.vacant = next;
                }
            }
        }
        table.live += 1;
        Ok((core, key))
    }

    /// The place of a process, if this is its supervisor.
    pub(crate) fn key_of(self: &Arc<Self>, process: &dyn Process) -> Option<u32> {
        let owner = process.owner()?;
        std::ptr::addr_eq(Arc::as_ptr(&owner.parent), Arc::as_ptr(self)).then_some(owner.key)
    }

    /// Frees the place of a child that is no more. False if the place was another's.
    pub(crate) fn forget(&self, key: u32, id: ServerId) -> bool {
        let mut table = self.table.lock();
        let gone = table.remove(key, id);
        let drained = gone.is_some() && table.live == 0;
        drop(table);
        if drained {
            self.drained.notify_waiters();
        }
        // Dropped outside the lock: it may hold the last handle of something that needs it.
        gone.is_some()
    }

    pub(crate) fn forget_leaked(&self, key: u32, id: ServerId) {
        if self.forget(key, id) {
            Counters::add(&self.counters.leaked);
        }
    }

    fn processes(&self, wanted: impl Fn(Shutdown) -> bool) -> Vec<(u32, Arc<dyn Process>)> {
        let table = self.table.lock();
        let children = (0u32..).zip(&table.slots).filter_map(|(key, slot)| match slot {
            Slot::Child { process, shutdown, .. } if wanted(*shutdown) => Some((key, process.clone())),
            _ => None,
        });
        children.collect()
    }

    /// Stops all children at once, each by its own shutdown time. Ends even if some never await.
    pub(crate) async fn shut_down(&self) {
        let mut limits: Vec<Duration> = Vec::new();
        let mut infinite = false;
        {
            let mut table = self.table.lock();
            table.open = false;
            for slot in &mut table.slots {
                if let Slot::Child { template, shutdown, .. } = slot {
                    *template = None;
                    match shutdown {
                        Shutdown::After(limit) => limits.push(*limit),
                        Shutdown::Infinity => infinite = true,
                        Shutdown::Kill => limits.push(Duration::ZERO),
                    }
                }
            }
        }
        limits.sort_unstable();
        limits.dedup();
        for (_, process) in self.processes(|shutdown| shutdown != Shutdown::Kill) {
            process.request_stop(Exit::Shutdown);
        }
        let begin = Instant::now();
        for limit in limits {
            let deadline = begin.checked_add(limit);
            if limit > Duration::ZERO && self.drained_by(deadline).await {
                return;
            }
            let due = |shutdown| match shutdown {
                Shutdown::After(time) => time <= limit,
                Shutdown::Kill => true,
                Shutdown::Infinity => false,
            };
            let late = self.processes(due);
            for (_, process) in &late {
                process.kill();
            }
            let grace = Instant::now().checked_add(KILL_GRACE);
            for (key, process) in late {
                let exited = ServerRef { process: process.clone() }.exited();
                let dead = match grace {
                    Some(grace) => timeout_at(grace, exited).await.is_ok(),
                    None => true,
                };
                if !dead {
                    report_leak(process.as_ref());
                    self.forget_leaked(key, process.id());
                }
            }
        }
        if infinite {
            self.drained_by(None).await;
        }
    }

    /// Waits until there are no children; false at the deadline.
    async fn drained_by(&self, deadline: Option<Instant>) -> bool {
        loop {
            let drained = self.drained.notified();
            if self.table.lock().live == 0 {
                return true;
            }
            match deadline {
                None => drained.await,
                Some(deadline) => {
                    if timeout_at(deadline, drained).await.is_err() {
                        return self.table.lock().live == 0;
                    }
                }
            }
        }
    }

    /// The supervisor was killed: its children go with it.
    pub(crate) fn kill_all(&self) {
        let children = {
            let mut table = self.table.lock();
            table.open = false;
            for slot in &mut table.slots {
                if let Slot::Child { template, .. } = slot {
                    *template = None;
                }
            }
            drop(table);
            self.processes(|_| true)
        };
        for (_, process) in children {
            process.kill();
        }
    }
}

impl Table {
    fn remove(&mut self, key: u32, id: ServerId) -> Option<Slot> {
        let slot = self.slots.get_mut(key as usize)?;
        match slot {
            Slot::Child { process, .. } if process.id() == id => {
                let gone = std::mem::replace(slot, Slot::Vacant(self.vacant));
                self.vacant = Some(key);
                self.live -= 1;
                if self.live == 0 && self.slots.len() > KEEP {
                    // A quiet moment to give a large table back.
                    self.slots = Vec::new();
                    self.vacant = None;
                }
                Some(gone)
            }
            _ => None,
        }
    }
}

impl Parent for Dynamic {
    fn child_down(self: Arc<Self>, key: u32, id: ServerId, was_ready: bool, exit: &Exit) {
        self.counters.ended(exit);
        let mut table = self.table.lock();
        let running = table.open;
        let again = match table.slots.get(key as usize) {
            Some(Slot::Child { process, template: Some(template), .. })
                if process.id() == id && running && was_ready && template.restart().applies_to(exit) =>
            {
                Some(template.clone())
            }
            _ => None,
        };
        let Some(template) = again else {
            drop(table);
            self.forget(key, id);
            return;
        };
        if !table.window.admit(Instant::now()) {
            table.open = false;
            let control = table.control.clone();
            drop(table);
            self.forget(key, id);
            if let Some(control) = control {
                let Intensity { restarts, period } = self.intensity;
                tracing::error!(restarts, ?period, "restart intensity reached; supervisor gives up");
                control.stop(Exit::crash(format_args!(
                    "restart intensity reached: more than {restarts} in {period:?}"
                )));
            }
            return;
        }
        let (process, go) = template.build(Owner { parent: self.clone(), key });
        let old = match table.slots.get_mut(key as usize) {
            Some(Slot::Child { process: place, .. }) => Some(std::mem::replace(place, process)),
            _ => None,
        };
        drop(table);
        drop(old);
        Counters::add(&self.counters.restarts);
        Counters::add(&self.counters.started);
        quietly(go);
    }
}
