//! How a server is to be started, restarted and stopped.
//!
//! Invariant: a spec that can be restarted has a factory for its arguments; one that was given its arguments
//! once is temporary. There is no third kind.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::addr::Addr;
use crate::error::{StartError, StopError};
use crate::exit::Exit;
use crate::life::{Core, Life};
use crate::process::{Exited, Process};
use crate::registry::{NameFor, NameTaken, Registry, Wanted};
use crate::server::{self, GenServer};

/// When a supervisor starts a child again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Whenever it ends.
    Permanent,
    /// When it ends with a failure.
    Transient,
    /// Never.
    Temporary,
}

impl Restart {
    /// Whether a child that ended so is started again.
    pub fn applies_to(self, exit: &Exit) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => exit.is_failure(),
            Self::Temporary => false,
        }
    }
}

/// How a supervisor stops a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// Asks it to stop, and kills it after this time.
    After(Duration),
    /// Kills it at once; `terminate` does not run.
    Kill,
    /// Asks it to stop and waits as long as it takes: for supervisors.
    Infinity,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::After(Duration::from_secs(5))
    }
}

/// How long a killed child may take to reach an await point before it is reported as leaked.
pub const KILL_GRACE: Duration = Duration::from_secs(1);

/// Messages that may wait in a mailbox unless [`Spec::capacity`] says otherwise. Empty mailboxes take no memory.
pub const DEFAULT_CAPACITY: u32 = 1_000;

pub(crate) enum Source<S: GenServer> {
    Once(S::Args),
    Factory(Arc<dyn Fn() -> S::Args + Send + Sync>),
}

/// Everything that is needed to start one server.
///
/// ```
/// # use otp::{Ctx, Exit, GenServer, Registry, Shutdown, Spec};
/// # struct Cart;
/// # impl GenServer for Cart {
/// #     type Args = u64;
/// #     type Msg = ();
/// #     async fn init(_: u64, _: &mut Ctx<Self>) -> Result<Self, Exit> { Ok(Self) }
/// #     async fn handle(&mut self, _: (), _: &mut Ctx<Self>) {}
/// # }
/// let carts: Registry<u64, ()> = Registry::new();
/// let spec = Spec::<Cart>::temporary(17).named(&carts, 17).capacity(64).shutdown(Shutdown::Kill);
/// let restartable = Spec::<Cart>::permanent(|| 17).named(&carts, 17);
/// ```
pub struct Spec<S: GenServer> {
    pub(crate) source: Source<S>,
    pub(crate) restart: Restart,
    pub(crate) shutdown: Shutdown,
    pub(crate) capacity: u32,
    pub(crate) name: Option<Box<dyn NameFor<S::Msg>>>,
    pub(crate) start_timeout: Option<Duration>,
}

impl<S: GenServer> Spec<S> {
    fn new(source: Source<S>, restart: Restart) -> Self {
        Self {
            source,
            restart,
            shutdown: Shutdown::default(),
            capacity: DEFAULT_CAPACITY,
            name: None,
            start_timeout: None,
        }
    }

    /// A server that is never restarted. Its supervisor keeps nothing but its place.
    pub fn temporary(args: S::Args) -> Self {
        Self::new(Source::Once(args), Restart::Temporary)
    }

    /// A server that is restarted whenever it ends; the closure makes the arguments of each start.
    pub fn permanent(args: impl Fn() -> S::Args + Send + Sync + 'static) -> Self {
        Self::new(Source::Factory(Arc::new(args)), Restart::Permanent)
    }

    /// A server that is restarted when it fails; the closure makes the arguments of each start.
    pub fn transient(args: impl Fn() -> S::Args + Send + Sync + 'static) -> Self {
        Self::new(Source::Factory(Arc::new(args)), Restart::Transient)
    }

    /// Registers the server before its `init`, at each start. Starting fails with
    /// [`StartError::AlreadyStarted`] if the name is taken.
    pub fn named<K>(mut self, registry: &Registry<K, S::Msg>, key: K) -> Self
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
    {
        self.name = Some(Box::new(Wanted { registry: registry.clone(), key }));
        self
    }

    /// How many messages may wait; at least one.
    pub fn capacity(mut self, messages: u32) -> Self {
        self.capacity = messages;
        self
    }

    /// How its supervisor stops it; five seconds, then a kill, unless said otherwise.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Kills the server if its `init` takes longer. Without it, `init` may take as long as it likes.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = Some(limit);
        self
    }
}

/// Starts a server without a supervisor and waits for its `init`.
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn start<S: GenServer>(spec: Spec<S>) -> Result<Addr<S::Msg>, StartError<S::Msg>> {
    let core = Core::new(spec.capacity, None);
    let args = match spec.source {
        Source::Once(args) => args,
        Source::Factory(factory) => factory(),
    };
    let started = launch::<S>(&core, spec.name.as_deref(), || args)?;
    wait_started(core, started, spec.start_timeout).await
}

/// Claims the name and spawns the task. If the arguments can't be made, the process ends as killed.
pub(crate) fn launch<S: GenServer>(
    core: &Arc<Core<S::Msg>>,
    name: Option<&dyn NameFor<S::Msg>>,
    args: impl FnOnce() -> S::Args,
) -> Result<oneshot::Receiver<()>, StartError<S::Msg>> {
    if let Some(name) = name {
        name.claim(&Addr { core: core.clone() }).map_err(|taken| {
            let exit = core.requested_exit().unwrap_or(Exit::Killed);
            core.bury(&exit);
            match taken {
                NameTaken::By(addr) => StartError::AlreadyStarted(addr),
                NameTaken::NoProc => StartError::Failed(exit),
            }
        })?;
    }
    let life = Life::new(core.clone());
    Ok(server::spawn::<S>(life, args()))
}

/// Waits for `init`. A server that failed is gone, name and all, when this returns.
pub(crate) async fn wait_started<M: Send + 'static>(
    core: Arc<Core<M>>,
    started: oneshot::Receiver<()>,
    limit: Option<Duration>,
) -> Result<Addr<M>, StartError<M>> {
    let outcome = match limit {
        None => Ok(started.await),
        Some(limit) => timeout(limit, started).await,
    };
    let Ok(outcome) = outcome else {
        core.kill();
        if timeout(KILL_GRACE, Exited::new(core.clone())).await.is_err() {
            report_leak(core.as_ref());
        }
        return Err(StartError::Timeout);
    };
    match outcome {
        Ok(()) => Ok(Addr { core }),
        Err(_) => Err(StartError::Failed(Exited::new(core).await)),
    }
}

/// Stops a process by the rules of its shutdown. When this returns `Ok`, it is dead.
pub(crate) async fn reap(process: Arc<dyn Process>, shutdown: Shutdown) -> Result<Exit, StopError> {
    match shutdown {
        Shutdown::Kill => {}
        Shutdown::Infinity => {
            process.request_stop(Exit::Shutdown);
            return Ok(Exited::new(process).await);
        }
        Shutdown::After(limit) => {
            process.request_stop(Exit::Shutdown);
            if let Ok(exit) = timeout(limit, Exited::new(process.clone())).await {
                return Ok(exit);
            }
        }
    }
    process.kill();
    if let Ok(exit) = timeout(KILL_GRACE, Exited::new(process.clone())).await {
        return Ok(exit);
    }
    report_leak(process.as_ref());
    Err(StopError::Leaked)
}

/// Gives up on a process that never awaits: nobody can reach or find it any more.
pub(crate) fn report_leak(process: &dyn Process) {
    tracing::error!(id = process.id().get(), "server never awaits and could not be killed; it is leaked");
    process.abandon();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Ctx;

    struct Nobody;

    impl GenServer for Nobody {
        type Args = ();
        type Msg = ();
        async fn init((): (), _ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
            Ok(Self)
        }
        async fn handle(&mut self, (): (), _ctx: &mut Ctx<Self>) {}
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_was_refused_its_name_is_dead_for_those_who_wait_for_it() {
        let names = Registry::new();
        start(Spec::<Nobody>::temporary(()).named(&names, 1)).await.unwrap();
        let refused = Core::new(1, None);
        let exited = Exited::new(refused.clone());
        let wanted = Wanted { registry: names, key: 1 };
        let outcome = launch::<Nobody>(&refused, Some(&wanted), || ());
        assert!(matches!(outcome, Err(StartError::AlreadyStarted(_))));
        assert_eq!(timeout(Duration::from_mins(1), exited).await, Ok(Exit::Killed));
    }
}
