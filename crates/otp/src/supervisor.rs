//! A supervisor of a fixed, ordered set of children: its description and its handle.
//!
//! Invariant: a `Supervisor` value is a description and can be started any number of times; what runs is a
//! server like any other, reached by its `SupervisorRef`.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::addr::{Addr, Reply, ServerRef};
use crate::child::Child;
use crate::counters::{Counters, Stats};
use crate::error::CallError;
use crate::exit::Exit;
use crate::intensity::Intensity;
use crate::spec::{Restart, Shutdown, Spec, start};
use crate::supervising::{Request, Supervising};

/// Which children are restarted when one has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Only that one.
    #[default]
    OneForOne,
    /// All of them: stopped in reverse order, started in order.
    OneForAll,
    /// That one and those that were started after it.
    RestForOne,
}

/// The description of a supervisor.
///
/// Children start in the order in which they are added, each after the `init` of the one before, and stop in
/// reverse. More restarts than the [`Intensity`] allows end the supervisor with [`Exit::Crashed`], which is its
/// own supervisor's matter.
///
/// ```
/// use otp::{DynamicSupervisor, Intensity, Spec, Strategy, Supervisor};
/// # use otp::{Ctx, Exit, GenServer, Registry};
/// # struct Stock;
/// # impl GenServer for Stock {
/// #     type Args = ();
/// #     type Msg = ();
/// #     async fn init(_: (), _: &mut Ctx<Self>) -> Result<Self, Exit> { Ok(Self) }
/// #     async fn handle(&mut self, _: (), _: &mut Ctx<Self>) {}
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let names = Registry::new();
/// let carts = DynamicSupervisor::new();
/// let shop = Supervisor::new(Strategy::RestForOne)
///     .intensity(Intensity::default())
///     .child("stock", Spec::<Stock>::permanent(|| ()).named(&names, "stock"))
///     .child("carts", carts.clone())
///     .start()
///     .await
///     .unwrap();
/// assert_eq!(shop.which_children().await.unwrap().len(), 2);
/// assert!(carts.is_running());
/// shop.stop().await;
/// assert!(names.is_empty());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Supervisor {
    pub(crate) strategy: Strategy,
    pub(crate) intensity: Intensity,
    pub(crate) children: Vec<(Arc<str>, Child)>,
    /// Shared by all its runs, so that a restart does not reset the counts.
    pub(crate) counters: Arc<Counters>,
}

impl Supervisor {
    /// A supervisor without children.
    pub fn new(strategy: Strategy) -> Self {
        Self { strategy, intensity: Intensity::default(), children: Vec::new(), counters: Arc::default() }
    }

    /// How many restarts it may do.
    pub fn intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = intensity;
        self
    }

    /// Adds a child after those before it. Ids that repeat are refused when the supervisor starts.
    pub fn child(mut self, id: &str, child: impl Into<Child>) -> Self {
        self.children.push((id.into(), child.into()));
        self
    }

    /// Starts the supervisor and its children. If a child does not start, those before it are stopped again.
    pub async fn start(self) -> Result<SupervisorRef, Exit> {
        let counters = self.counters.clone();
        match start(Spec::<Supervising>::temporary(self)).await {
            Ok(addr) => Ok(SupervisorRef { addr, counters }),
            Err(error) => Err(error.into_exit()),
        }
    }
}

impl From<Supervisor> for Child {
    /// A permanent child that is given all the time it needs to stop its own children.
    fn from(supervisor: Supervisor) -> Self {
        Spec::<Supervising>::permanent(move || supervisor.clone()).shutdown(Shutdown::Infinity).into()
    }
}

/// What can be seen of a supervisor's child.
#[derive(Clone, Debug)]
pub struct ChildInfo {
    /// The id under which it was added.
    pub id: Arc<str>,
    /// The process, if it runs.
    pub server: Option<ServerRef>,
    /// When it is restarted.
    pub restart: Restart,
}

/// Why a running supervisor did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChildError {
    /// There is no child with this id.
    #[error("this supervisor has no such child")]
    NotFound,
    /// There is a child with this id.
    #[error("this supervisor already has a child with this id")]
    Present,
    /// The child runs; terminate it first.
    #[error("the child is running")]
    Running,
    /// The child did not start.
    #[error("the child did not start: {0}")]
    Failed(Exit),
    /// The child never awaits and could not be killed.
    #[error("the child never awaits and could not be killed; it is leaked")]
    Leaked,
    /// The supervisor itself is gone.
    #[error("the supervisor is not running")]
    NoSupervisor,
}

/// The handle of a running supervisor.
#[derive(Clone, Debug)]
pub struct SupervisorRef {
    addr: Addr<Request>,
    counters: Arc<Counters>,
}

impl SupervisorRef {
    /// The children in their order.
    pub async fn which_children(&self) -> Result<Vec<ChildInfo>, ChildError> {
        self.ask(Request::Which).await
    }

    /// How many children run.
    pub async fn count_children(&self) -> Result<usize, ChildError> {
        let children = self.which_children().await?;
        Ok(children.iter().filter(|child| child.server.is_some()).count())
    }

    /// Adds a child after all others and starts it.
    pub async fn start_child(&self, id: &str, child: impl Into<Child>) -> Result<ServerRef, ChildError> {
        let (id, child) = (id.into(), child.into());
        self.ask(|reply| Request::Start(id, child, reply)).await?
    }

    /// Stops a child and keeps its description. It is not restarted; its name is free when this returns.
    pub async fn terminate_child(&self, id: &str) -> Result<(), ChildError> {
        let id = id.into();
        self.ask(|reply| Request::Terminate(id, reply)).await?
    }

    /// Starts a child that was terminated or has ended.
    pub async fn restart_child(&self, id: &str) -> Result<ServerRef, ChildError> {
        let id = id.into();
        self.ask(|reply| Request::Restart(id, reply)).await?
    }

    /// Forgets a child that does not run.
    pub async fn delete_child(&self, id: &str) -> Result<(), ChildError> {
        let id = id.into();
        self.ask(|reply| Request::Delete(id, reply)).await?
    }

    /// Stops the supervisor, its children first in reverse order, and waits for it.
    pub async fn stop(&self) -> Exit {
        self.addr.stop(Exit::Shutdown);
        self.addr.exited().await
    }

    /// What this supervisor has done so far.
    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// The supervisor as a server, to be monitored or stopped.
    pub fn server_ref(&self) -> ServerRef {
        self.addr.server_ref()
    }

    /// A supervisor answers when it has done what it does; children bound that by their own limits.
    async fn ask<R>(&self, request: impl FnOnce(Reply<R>) -> Request) -> Result<R, ChildError> {
        const YEAR: Duration = Duration::from_hours(365 * 24);
        self.addr.call(YEAR, request).await.map_err(|error| match error {
            CallError::NoProc | CallError::Crashed | CallError::Timeout | CallError::Overloaded => {
                ChildError::NoSupervisor
            }
        })
    }
}
