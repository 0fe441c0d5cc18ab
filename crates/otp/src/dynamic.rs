//! A supervisor for many children of any kind, started and stopped at run time.
//!
//! Invariant: a child has a place in the table from before its task exists until it is dead, and a child that
//! ended is forgotten. Start, stop and restart of one child take O(1) and wait for no other child.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::addr::{Addr, ServerRef};
use crate::error::{StartError, StopError};
use crate::exit::Exit;
use crate::intensity::{Intensity, Window};
use crate::process::{Core, Life, Owner, Parent, Process, ServerId, quietly};
use crate::registry::NameFor;
use crate::server::{Ctx, GenServer};
use crate::spec::{
    KILL_GRACE, Restart, Shutdown, Source, Spec, launch, reap, report_leak, start, wait_started,
};

/// A table of at most so many places is kept when the last child goes.
const KEEP: usize = 1_024;

/// A supervisor whose children come and go. Cheap to clone; clones are the same supervisor.
///
/// It is started with [`start`](Self::start), or as a child of a [`Supervisor`](crate::Supervisor); the handle
/// stays good over its restarts.
///
/// ```
/// # use otp::{Ctx, DynamicSupervisor, Exit, GenServer, Registry, Spec};
/// # struct Cart;
/// # impl GenServer for Cart {
/// #     type Args = u64;
/// #     type Msg = ();
/// #     async fn init(_: u64, _: &mut Ctx<Self>) -> Result<Self, Exit> { Ok(Self) }
/// #     async fn handle(&mut self, _: (), _: &mut Ctx<Self>) {}
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let names = Registry::new();
/// let carts = DynamicSupervisor::new();
/// carts.start().await.unwrap();
/// let cart = carts.start_child(Spec::<Cart>::temporary(7).named(&names, 7)).await.unwrap();
/// assert_eq!(names.whereis(&7), Some(cart.clone()));
/// carts.terminate_child(&cart).await.unwrap();
/// assert_eq!(names.whereis(&7), None);
/// # }
/// ```
#[derive(Clone)]
pub struct DynamicSupervisor {
    inner: Arc<Dynamic>,
}

/// What a supervisor has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Starts, restarts included.
    pub started: u64,
    /// Ends of children, whatever the reason.
    pub stopped: u64,
    /// Ends with a failure.
    pub failed: u64,
    /// Restarts.
    pub restarts: u64,
    /// Children that could not be killed.
    pub leaked: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) started: AtomicU64,
    pub(crate) stopped: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) restarts: AtomicU64,
    pub(crate) leaked: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, exit: &Exit) {
        Self::add(&self.stopped);
        if exit.is_failure() {
            Self::add(&self.failed);
        }
    }

    pub(crate) fn read(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            started: get(&self.started),
            stopped: get(&self.stopped),
            failed: get(&self.failed),
            restarts: get(&self.restarts),
            leaked: get(&self.leaked),
        }
    }
}

struct Dynamic {
    intensity: Intensity,
    max_children: usize,
    table: Mutex<Table>,
    counters: Counters,
    /// Rung when the last child is gone.
    drained: Notify,
}

struct Table {
    slots: Vec<Slot>,
    /// The head of the chain of vacant slots.
    vacant: Option<u32>,
    live: usize,
    window: Window,
    /// The task through which a parent stops this supervisor; none when it is not running.
    control: Option<Addr<Never>>,
}

enum Slot {
    Vacant(Option<u32>),
    Child {
        process: Arc<dyn Process>,
        /// How to start it again; none for a temporary child, and for one that is being terminated.
        template: Option<Arc<dyn Template>>,
        shutdown: Shutdown,
    },
}

/// Starts a child again in its old place.
trait Template: Send + Sync {
    fn restart(&self) -> Restart;
    /// Makes the new process and what sets it going.
    fn build(self: Arc<Self>, owner: Owner) -> (Arc<dyn Process>, Box<dyn FnOnce() + Send>);
}

struct Recipe<S: GenServer> {
    factory: Arc<dyn Fn() -> S::Args + Send + Sync>,
    restart: Restart,
    capacity: u32,
    name: Option<Box<dyn NameFor<S::Msg>>>,
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

impl Default for DynamicSupervisor {
    fn default() -> Self {
        Self::new()
    }
}

impl DynamicSupervisor {
    /// A supervisor with the default intensity and room for any number of children.
    pub fn new() -> Self {
        Self::with(usize::MAX, Intensity::default())
    }

    /// A supervisor with a bound on its children and on their restarts.
    pub fn with(max_children: usize, intensity: Intensity) -> Self {
        let table =
            Table { slots: Vec::new(), vacant: None, live: 0, window: Window::new(intensity), control: None };
        Self {
            inner: Arc::new(Dynamic {
                intensity,
                max_children,
                table: Mutex::new(table),
                counters: Counters::default(),
                drained: Notify::new(),
            }),
        }
    }

    /// Starts the supervisor, unsupervised.
    pub async fn start(&self) -> Result<ServerRef, Exit> {
        match start(Spec::<Control>::temporary(self.clone())).await {
            Ok(addr) => Ok(addr.server_ref()),
            Err(error) => Err(error.into_exit()),
        }
    }

    /// Stops the supervisor and all its children, and waits for it.
    pub async fn stop(&self) {
        let control = self.inner.table.lock().control.clone();
        if let Some(control) = control {
            control.stop(Exit::Shutdown);
            control.exited().await;
        }
    }

    /// Starts a child and waits for its `init`. If the caller gives up waiting, the child lives on.
    pub async fn start_child<S: GenServer>(&self, spec: Spec<S>) -> Result<Addr<S::Msg>, StartError<S::Msg>> {
        let limit = spec.start_timeout;
        let (core, started) = self.begin_child(spec)?;
        wait_started(core, started, limit).await
    }

    #[expect(clippy::type_complexity, reason = "the pair is only handed on to wait_started")]
    fn begin_child<S: GenServer>(
        &self,
        spec: Spec<S>,
    ) -> Result<(Arc<Core<S::Msg>>, tokio::sync::oneshot::Receiver<()>), StartError<S::Msg>> {
        let (core, key, launched) = match spec.source {
            Source::Once(args) => {
                let (core, key) = self.inner.admit(spec.capacity, spec.shutdown, None)?;
                let launched = launch::<S>(&core, spec.name.as_deref(), || args);
                (core, key, launched)
            }
            Source::Factory(factory) => {
                let args = factory();
                let recipe = Arc::new(Recipe::<S> {
                    factory,
                    restart: spec.restart,
                    capacity: spec.capacity,
                    name: spec.name,
                });
                let (core, key) = self.inner.admit(spec.capacity, spec.shutdown, Some(recipe.clone()))?;
                let launched = launch::<S>(&core, recipe.name.as_deref(), || args);
                (core, key, launched)
            }
        };
        match launched {
            Ok(started) => {
                Counters::add(&self.inner.counters.started);
                Ok((core, started))
            }
            Err(error) => {
                self.inner.forget(key, core.id());
                Err(error)
            }
        }
    }

    /// Stops a child by the rules of its spec and waits for it. When this returns, its name is free and it is
    /// not restarted. If the caller gives up waiting, the child is stopped all the same.
    pub async fn terminate_child(&self, child: impl Into<ServerRef>) -> Result<Exit, StopError> {
        let process = child.into().process;
        let key = self.inner.key_of(process.as_ref()).ok_or(StopError::NotFound)?;
        let shutdown = {
            let mut table = self.inner.table.lock();
            match table.slots.get_mut(key as usize) {
                Some(Slot::Child { process: current, template, shutdown })
                    if current.id() == process.id() =>
                {
                    *template = None;
                    *shutdown
                }
                _ => return Err(StopError::NotFound),
            }
        };
        let mut task = Reaping { inner: self.inner.clone(), process, key, shutdown, armed: true };
        let outcome = reap(task.process.clone(), shutdown).await;
        task.armed = false;
        if outcome.is_err() {
            self.inner.forget_leaked(key, task.process.id());
        }
        outcome
    }

    /// The children of this moment. O(n).
    pub fn which_children(&self) -> Vec<ServerRef> {
        let table = self.inner.table.lock();
        let children = table.slots.iter().filter_map(|slot| match slot {
            Slot::Child { process, .. } => Some(ServerRef { process: process.clone() }),
            Slot::Vacant(_) => None,
        });
        children.collect()
    }

    /// How many children there are. O(1).
    pub fn count_children(&self) -> usize {
        self.inner.table.lock().live
    }

    /// How many children the table has room for before it grows: what the supervisor itself costs in memory.
    pub fn table_len(&self) -> usize {
        self.inner.table.lock().slots.len()
    }

    /// What this supervisor has done so far.
    pub fn stats(&self) -> Stats {
        self.inner.counters.read()
    }

    /// Whether it takes children.
    pub fn is_running(&self) -> bool {
        self.inner.table.lock().control.is_some()
    }
}

impl std::fmt::Debug for DynamicSupervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamicSupervisor").field("children", &self.count_children()).finish()
    }
}

impl Dynamic {
    /// Gives a new process a place.
    fn admit<M: Send + 'static>(
        self: &Arc<Self>,
        capacity: u32,
        shutdown: Shutdown,
        template: Option<Arc<dyn Template>>,
    ) -> Result<(Arc<Core<M>>, u32), StartError<M>> {
        let mut table = self.table.lock();
        if table.control.is_none() {
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
    fn key_of(self: &Arc<Self>, process: &dyn Process) -> Option<u32> {
        let owner = process.owner()?;
        std::ptr::addr_eq(Arc::as_ptr(&owner.parent), Arc::as_ptr(self)).then_some(owner.key)
    }

    /// Frees the place of a child that is no more. False if the place was another's.
    fn forget(&self, key: u32, id: ServerId) -> bool {
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

    fn forget_leaked(&self, key: u32, id: ServerId) {
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
    async fn shut_down(&self) {
        let mut limits: Vec<Duration> = Vec::new();
        let mut infinite = false;
        {
            let mut table = self.table.lock();
            table.control = None;
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
    fn kill_all(&self) {
        let children = {
            let mut table = self.table.lock();
            table.control = None;
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
        let running = table.control.is_some();
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
            let control = table.control.take();
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

/// A termination whose caller went away is finished by a task.
struct Reaping {
    inner: Arc<Dynamic>,
    process: Arc<dyn Process>,
    key: u32,
    shutdown: Shutdown,
    armed: bool,
}

impl Drop for Reaping {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (inner, process) = (self.inner.clone(), self.process.clone());
            let (key, shutdown) = (self.key, self.shutdown);
            runtime.spawn(async move {
                let id = process.id();
                if reap(process, shutdown).await.is_err() {
                    inner.forget_leaked(key, id);
                }
            });
        }
    }
}

/// Messages that nobody can send.
pub(crate) enum Never {}

/// The supervisor as a server: what its own supervisor starts, stops and watches.
pub(crate) struct Control {
    inner: Arc<Dynamic>,
    done: bool,
}

impl GenServer for Control {
    type Args = DynamicSupervisor;
    type Msg = Never;

    async fn init(supervisor: DynamicSupervisor, ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        let inner = supervisor.inner;
        let mut table = inner.table.lock();
        if table.control.is_some() {
            return Err(Exit::crash("this dynamic supervisor is already running"));
        }
        table.control = Some(ctx.addr().clone());
        table.window = Window::new(inner.intensity);
        drop(table);
        Ok(Self { inner, done: false })
    }

    async fn handle(&mut self, msg: Never, _ctx: &mut Ctx<Self>) {
        match msg {}
    }

    async fn terminate(&mut self, _reason: &Exit, _ctx: &mut Ctx<Self>) {
        self.inner.shut_down().await;
        self.done = true;
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if !self.done {
            self.inner.kill_all();
        }
    }
}
