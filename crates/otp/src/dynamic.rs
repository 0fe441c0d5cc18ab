//! A supervisor for many children of any kind, started and stopped at run time.
//!
//! Invariant: a child that ended is forgotten. Start, stop and restart of one child take O(1) and wait for no
//! other child.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::addr::{Addr, ServerRef};
use crate::children::{Dynamic, Recipe, Slot, Table};
use crate::counters::{Counters, Stats};
use crate::error::{StartError, StopError};
use crate::exit::Exit;
use crate::intensity::{Intensity, Window};
use crate::life::Core;
use crate::process::Process;
use crate::server::{Ctx, GenServer};
use crate::spec::{Shutdown, Source, Spec, launch, reap, start, wait_started};

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
        let table = Table {
            slots: Vec::new(),
            vacant: None,
            live: 0,
            window: Window::new(intensity),
            control: None,
            open: false,
        };
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
        self.inner.table.lock().open
    }
}

impl std::fmt::Debug for DynamicSupervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynamicSupervisor").field("children", &self.count_children()).finish()
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
        table.open = true;
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
        self.inner.table.lock().control = None;
    }
}
