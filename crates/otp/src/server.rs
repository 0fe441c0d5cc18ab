//! The server trait, what a server sees of its runtime, and the loop that drives it.
//!
//! Invariant: one message at a time; `terminate` runs on every end but an abort; whatever panics, the server's
//! state is dropped before its names are freed and its supervisor is told.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::Instrument;

use crate::addr::{Addr, ServerRef};
use crate::exit::Exit;
use crate::life::{Core, Life, Next};
use crate::monitor::{Down, Monitor};
use crate::process::{Process, ServerId, WatchId};
use crate::registry::{NameTaken, Registry};
use crate::timer::{IdleTimer, TimerRef, Timers};

/// A server: state that one task owns, changed by one message at a time.
///
/// Write the methods as `async fn`. Their futures lie inside the server's task, so an idle server pays for the
/// largest of `handle`'s branches: put rare, big ones into a `Box::pin(..)`. `init`, `handle_idle` and
/// `terminate` are boxed already.
///
/// ```
/// use otp::{Ctx, Exit, GenServer, Reply, Spec};
///
/// struct Counter(u64);
///
/// enum Msg {
///     Add(u64),
///     Get(Reply<u64>),
/// }
///
/// impl GenServer for Counter {
///     type Args = u64;
///     type Msg = Msg;
///
///     async fn init(first: u64, _ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
///         Ok(Self(first))
///     }
///
///     async fn handle(&mut self, msg: Msg, _ctx: &mut Ctx<Self>) {
///         match msg {
///             Msg::Add(n) => self.0 += n,
///             Msg::Get(reply) => reply.send(self.0),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let counter = otp::start(Spec::<Counter>::temporary(40)).await.unwrap();
/// counter.cast(Msg::Add(2)).await.unwrap();
/// assert_eq!(counter.ask(Msg::Get).await, Ok(42));
/// # }
/// ```
pub trait GenServer: Sized + Send + 'static {
    /// What `init` needs.
    type Args: Send + 'static;
    /// Every message of this server: one enum, with a [`Reply`](crate::Reply) in each variant that is a call.
    type Msg: Send + 'static;

    /// Builds the state, in the server's own task; the starter waits for it. Messages that arrive meanwhile are
    /// queued. A stop that arrives meanwhile ends it without `terminate`.
    fn init(args: Self::Args, ctx: &mut Ctx<Self>) -> impl Future<Output = Result<Self, Exit>> + Send;

    /// Handles one message. A panic here ends the server with [`Exit::Crashed`].
    fn handle(&mut self, msg: Self::Msg, ctx: &mut Ctx<Self>) -> impl Future<Output = ()> + Send;

    /// Runs once a period of idleness, if [`Ctx::idle_after`] asked for it.
    fn handle_idle(&mut self, _ctx: &mut Ctx<Self>) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Cleans up on every end but an abort, after a panic too. The mailbox is closed, the name still held.
    fn terminate(&mut self, _reason: &Exit, _ctx: &mut Ctx<Self>) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// A server's view of its runtime.
pub struct Ctx<S: GenServer> {
    addr: Addr<S::Msg>,
    server: PhantomData<fn() -> S>,
}

impl<S: GenServer> Ctx<S> {
    /// The server's own address.
    pub fn addr(&self) -> &Addr<S::Msg> {
        &self.addr
    }

    /// The server's own id.
    pub fn id(&self) -> ServerId {
        self.addr.id()
    }

    /// Ends the server after this message. The mailbox closes now; the first reason wins.
    pub fn stop(&mut self, reason: Exit) {
        self.addr.core.close(Some(reason));
    }

    /// Ends the server normally if no message is queued, and says whether it will end.
    ///
    /// Check and closing are one step, so no message is lost: who sends later is told `NoProc` and can start
    /// the server again once [`Addr::exited`] resolves. [`Registry::call_or_start`] does just that.
    pub fn stop_if_empty(&mut self) -> bool {
        self.addr.core.stop_if_empty()
    }

    /// Takes the next message out of the mailbox if it is there now and `wanted`: for a handler that does the work of
    /// several messages at once. It never passes one over, so the order of messages stays; and it takes none once the
    /// server is to stop. `wanted` runs under the mailbox's lock: it looks at the message and does nothing else.
    ///
    /// ```
    /// use otp::{Ctx, Exit, GenServer, Reply, Spec};
    ///
    /// /// Adds up, and counts how often it had to.
    /// struct Sum { total: u64, steps: u64 }
    ///
    /// enum Msg {
    ///     Add(u64),
    ///     Get(Reply<(u64, u64)>),
    /// }
    ///
    /// impl GenServer for Sum {
    ///     type Args = ();
    ///     type Msg = Msg;
    ///
    ///     async fn init((): (), _: &mut Ctx<Self>) -> Result<Self, Exit> {
    ///         Ok(Self { total: 0, steps: 0 })
    ///     }
    ///
    ///     async fn handle(&mut self, msg: Msg, ctx: &mut Ctx<Self>) {
    ///         match msg {
    ///             Msg::Add(n) => {
    ///                 self.steps += 1;
    ///                 self.total += n;
    ///                 while let Some(Msg::Add(more)) = ctx.next_if(|next| matches!(next, Msg::Add(_))) {
    ///                     self.total += more;
    ///                 }
    ///             }
    ///             Msg::Get(reply) => reply.send((self.total, self.steps)),
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let sum = otp::start(Spec::<Sum>::temporary(())).await.unwrap();
    /// for n in 1..=10 {
    ///     sum.try_cast(Msg::Add(n)).unwrap();
    /// }
    /// assert_eq!(sum.ask(Msg::Get).await, Ok((55, 1)));
    /// # }
    /// ```
    pub fn next_if(&mut self, wanted: impl FnOnce(&S::Msg) -> bool) -> Option<S::Msg> {
        self.addr.core.pop_if(wanted)
    }

    /// Calls [`GenServer::handle_idle`] when no message came for this long, once a period of idleness; a message,
    /// or another call of this, starts the next period. Costs one entry in a shared timer queue and nothing a
    /// message. Precise to a millisecond.
    pub fn idle_after(&mut self, period: Duration) {
        let timers = Timers::of(self.id().get());
        self.addr.core.set_idle(Some(IdleTimer::new(timers, period)));
    }

    /// Takes [`idle_after`](Self::idle_after) back.
    pub fn idle_never(&mut self) {
        self.addr.core.set_idle(None);
    }

    /// Sends a message to this server after a delay.
    pub fn send_after(&mut self, delay: Duration, message: S::Msg) -> TimerRef {
        self.addr.send_after(delay, message)
    }

    /// Sends a message to this server every period; see [`Addr::send_interval`].
    pub fn send_interval(
        &mut self,
        period: Duration,
        message: impl FnMut() -> S::Msg + Send + 'static,
    ) -> TimerRef {
        self.addr.send_interval(period, message)
    }

    /// Delivers `Down` as a message of this server when the target is dead; at once if it is. It arrives even
    /// when the mailbox is full. The monitor goes with this server.
    pub fn monitor(
        &mut self,
        target: impl Into<ServerRef>,
        message: impl FnOnce(Down) -> S::Msg + Send + 'static,
    ) -> Monitor {
        let target = target.into().process;
        let watch = WatchId::next();
        let id = target.id();
        let to = self.addr.clone();
        if self.addr.core.begin_watching(target.clone(), watch) {
            target.watch(
                watch,
                Box::new(move |exit| {
                    to.core.end_watching(watch);
                    to.core.push_system(message(Down { id, reason: exit.clone() }));
                }),
            );
        }
        Monitor { watch, target: None }
    }

    /// Takes a monitor of this server back. Its `Down` may already be in the mailbox.
    pub fn demonitor(&mut self, monitor: Monitor) {
        match self.addr.core.end_watching(monitor.watch) {
            Some(target) => target.unwatch(monitor.watch),
            None => monitor.cancel(),
        }
    }

    /// Takes a further name. [`Spec::named`](crate::Spec::named) is the way to be found from the first moment.
    pub fn register<K>(&mut self, registry: &Registry<K, S::Msg>, key: K) -> Result<(), NameTaken<S::Msg>>
    where
        K: Clone + Eq + std::hash::Hash + Send + Sync + 'static,
    {
        registry.register(key, &self.addr)
    }
}

/// What a task needs to start its server; boxed so that it takes no room afterwards.
type Boot<S> = Box<(<S as GenServer>::Args, oneshot::Sender<()>)>;

/// Starts the server's task. The receiver gets a message when `init` is done and is dropped when it failed.
pub(crate) fn spawn<S: GenServer>(life: Life<S::Msg>, args: S::Args) -> oneshot::Receiver<()> {
    let (ready, started) = oneshot::channel();
    tokio::spawn(run::<S>(life, Box::new((args, ready))));
    started
}

/// The task: drives the server's body, aborts it when it is killed, catches what it did not.
#[expect(clippy::manual_async_fn, reason = "an async fn would keep each argument twice in the task")]
fn run<S: GenServer>(mut life: Life<S::Msg>, boot: Boot<S>) -> impl Future<Output = ()> + Send {
    async move {
        let exit = {
            let mut body = pin!(body::<S>(life.core.clone(), boot));
            let mut attached = false;
            std::future::poll_fn(|cx| {
                if !attached {
                    life.core.attach(cx.waker());
                    attached = true;
                }
                if life.core.is_killed() {
                    return Poll::Ready(Exit::Killed);
                }
                caught(|| body.as_mut().poll(cx)).map(|end| end.unwrap_or_else(|crash| crash))
            })
            .await
        };
        if let Exit::Crashed(reason) = &exit {
            tracing::warn!(id = life.core.id().get(), server = std::any::type_name::<S>(), %reason, "server crashed");
        }
        life.exit = Some(exit);
        drop(life);
    }
}

#[expect(clippy::manual_async_fn, reason = "an async fn would keep each argument twice in the task")]
fn body<S: GenServer>(core: Arc<Core<S::Msg>>, boot: Boot<S>) -> impl Future<Output = Exit> + Send {
    async move {
        let mut ctx = Ctx::<S> { addr: Addr { core }, server: PhantomData };
        let mut server = match Box::pin(begin::<S>(boot, &mut ctx)).await {
            Ok(server) => server,
            Err(exit) => return exit,
        };
        let exit = loop {
            tokio::task::coop::consume_budget().await;
            // A kill wakes the task, whose next poll ends it; until then nothing more is begun.
            let next = std::future::poll_fn(|_| {
                if ctx.addr.core.is_killed() { Poll::Pending } else { ctx.addr.core.poll_next() }
            });
            let outcome = match next.await {
                Next::Message(message) => {
                    let mut step = pin!(server.handle(message, &mut ctx));
                    std::future::poll_fn(|cx| caught(|| step.as_mut().poll(cx))).await
                }
                Next::Idle => {
                    let mut step = Box::pin(server.handle_idle(&mut ctx));
                    std::future::poll_fn(|cx| caught(|| step.as_mut().poll(cx))).await
                }
                Next::Stop(exit) => break exit,
            };
            if let Err(crash) = outcome {
                break crash;
            }
        };
        ctx.addr.core.close(None);
        Box::pin(end(server, exit, ctx)).await
    }
}

/// `init`, until it is done or a stop is asked for.
async fn begin<S: GenServer>(boot: Boot<S>, ctx: &mut Ctx<S>) -> Result<S, Exit> {
    let (args, ready) = *boot;
    let core = ctx.addr.core.clone();
    let span =
        tracing::debug_span!("server_start", id = core.id().get(), server = std::any::type_name::<S>());
    let mut init = pin!(S::init(args, ctx).instrument(span));
    let server = std::future::poll_fn(|cx| match core.requested_exit() {
        Some(exit) => Poll::Ready(Err(exit)),
        None => init.as_mut().poll(cx),
    })
    .await?;
    core.mark_ready();
    // A starter that gave up waiting is no reason not to run.
    let _ = ready.send(());
    Ok(server)
}

/// `terminate`, then the drop of the state. A crash in either is the reason, unless there is one already.
async fn end<S: GenServer>(mut server: S, exit: Exit, mut ctx: Ctx<S>) -> Exit {
    let span = tracing::debug_span!(
        "server_stop",
        id = ctx.id().get(),
        server = std::any::type_name::<S>(),
        reason = %exit
    );
    let terminated = {
        let mut step = pin!(server.terminate(&exit, &mut ctx).instrument(span));
        std::future::poll_fn(|cx| caught(|| step.as_mut().poll(cx))).await
    };
    let dropped =
        catch_unwind(AssertUnwindSafe(|| drop(server))).map_err(|payload| Exit::from_panic(payload.as_ref()));
    match terminated.and(dropped) {
        Err(crash) if !exit.is_failure() => crash,
        _ => exit,
    }
}

/// One poll whose panic becomes a crash.
fn caught<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<Result<T, Exit>> {
    match catch_unwind(AssertUnwindSafe(poll)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(payload) => Poll::Ready(Err(Exit::from_panic(payload.as_ref()))),
    }
}
