//! Work beside the requests: done again and again ([`Periodic`]), or going on for ever ([`Lasting`]).
//!
//! **Invariant.** Each is a supervised server: a panic in one restarts it and touches nothing else; two runs of the same
//! work never overlap; told to stop, periodic work runs a last time where it asked for that.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use otp::{Ctx, Exit, GenServer, Shutdown, Spec};

/// One run of the work; what went wrong is a line for the log.
type Work = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What is done, and how often.
#[derive(Clone)]
pub(crate) struct Periodic {
    name: &'static str,
    period: Duration,
    last_run: bool,
    work: Work,
}

impl Periodic {
    /// Does `work` every `period`, the first time after one.
    pub(crate) fn every<F, Fut>(period: Duration, name: &'static str, work: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name, period, last_run: false, work: Arc::new(move || Box::pin(work())) }
    }

    /// Does it once more when it is stopped.
    pub(crate) fn and_at_the_end(mut self) -> Self {
        self.last_run = true;
        self
    }

    /// How to supervise it.
    pub(crate) fn spec(self) -> Spec<Loop> {
        Spec::permanent(move || self.clone()).shutdown(Shutdown::After(Duration::from_secs(5)))
    }

    async fn run(&self) {
        if let Err(error) = (self.work)().await {
            tracing::warn!(work = self.name, %error, "periodic work failed; it is tried again");
        }
    }
}

impl fmt::Debug for Periodic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Periodic").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The server behind a [`Periodic`].
pub(crate) struct Loop(Periodic);

impl GenServer for Loop {
    type Args = Periodic;
    /// It is time.
    type Msg = ();

    async fn init(work: Periodic, ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        ctx.send_after(work.period, ());
        Ok(Self(work))
    }

    async fn handle(&mut self, (): (), ctx: &mut Ctx<Self>) {
        self.0.run().await;
        // From the end of this run: slow work does not pile up.
        ctx.send_after(self.0.period, ());
    }

    async fn terminate(&mut self, reason: &Exit, _ctx: &mut Ctx<Self>) {
        if self.0.last_run && !reason.is_failure() {
            self.0.run().await;
        }
    }
}

/// Work that goes on until it is stopped, and begins anew where it ends.
#[derive(Clone)]
pub(crate) struct Lasting(Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>);

impl Lasting {
    /// How to supervise it. It is cut off where it awaits: what it does must bear that.
    pub(crate) fn spec<F, Fut>(work: F) -> Spec<LastingServer>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let work = Self(Arc::new(move || Box::pin(work())));
        Spec::permanent(move || work.clone()).shutdown(Shutdown::Kill)
    }
}

/// The server behind a [`Lasting`].
pub(crate) struct LastingServer(Lasting);

impl GenServer for LastingServer {
    type Args = Lasting;
    /// Begin.
    type Msg = ();

    async fn init(work: Lasting, ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        ctx.send_after(Duration::ZERO, ());
        Ok(Self(work))
    }

    async fn handle(&mut self, (): (), ctx: &mut Ctx<Self>) {
        (self.0.0)().await;
        ctx.send_after(Duration::from_secs(1), ());
    }
}
