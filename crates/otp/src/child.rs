//! What a supervisor needs to know of one of its children, whatever the child's type.
//!
//! Invariant: a child's process is known before its `init` begins, so that it can be stopped at any moment.

use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::dynamic::{Control, DynamicSupervisor};
use crate::error::StartError;
use crate::exit::Exit;
use crate::life::Core;
use crate::process::{Owner, Process};
use crate::server::GenServer;
use crate::spec::{Restart, Shutdown, Source, Spec, launch, wait_started};

/// `init` on its way.
pub(crate) type Starting = Pin<Box<dyn Future<Output = Result<(), Exit>> + Send>>;

/// Starts a child, as often as needed.
pub(crate) trait Start: Send + Sync {
    fn start(&self, owner: Owner) -> Result<(Arc<dyn Process>, Starting), Exit>;
}

/// A child of a [`Supervisor`](crate::Supervisor); made from a [`Spec`], a [`Supervisor`](crate::Supervisor), a
/// [`DynamicSupervisor`] or a [`PartitionSupervisor`](crate::PartitionSupervisor).
#[derive(Clone)]
pub struct Child {
    pub(crate) restart: Restart,
    pub(crate) shutdown: Shutdown,
    pub(crate) start: Arc<dyn Start>,
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Child")
            .field("restart", &self.restart)
            .field("shutdown", &self.shutdown)
            .finish_non_exhaustive()
    }
}

impl<S: GenServer> From<Spec<S>> for Child {
    fn from(spec: Spec<S>) -> Self {
        let (restart, shutdown) = (spec.restart, spec.shutdown);
        let Spec { source, capacity, name, start_timeout, .. } = spec;
        let args: Box<dyn Fn() -> Result<S::Args, Exit> + Send + Sync> = match source {
            Source::Factory(factory) => Box::new(move || Ok(factory())),
            Source::Once(args) => {
                let once = Mutex::new(Some(args));
                let taken = || Exit::crash("a temporary child can be started only once");
                Box::new(move || once.lock().take().ok_or_else(taken))
            }
        };
        let start = move |owner: Owner| {
            let args = args()?;
            let core = Core::<S::Msg>::new(capacity, Some(owner));
            let started = launch::<S>(&core, name.as_deref(), || args).map_err(StartError::into_exit)?;
            let process: Arc<dyn Process> = core.clone();
            let starting: Starting = Box::pin(async move {
                wait_started(core, started, start_timeout).await.map_err(StartError::into_exit)?;
                Ok(())
            });
            Ok((process, starting))
        };
        Self { restart, shutdown, start: Arc::new(start) }
    }
}

impl<F> Start for F
where
    F: Fn(Owner) -> Result<(Arc<dyn Process>, Starting), Exit> + Send + Sync,
{
    fn start(&self, owner: Owner) -> Result<(Arc<dyn Process>, Starting), Exit> {
        self(owner)
    }
}

impl From<DynamicSupervisor> for Child {
    /// A permanent child that is given all the time it needs to stop its own children.
    fn from(supervisor: DynamicSupervisor) -> Self {
        Spec::<Control>::permanent(move || supervisor.clone()).shutdown(Shutdown::Infinity).into()
    }
}
