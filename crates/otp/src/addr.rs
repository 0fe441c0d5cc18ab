//! The address of a server: how messages get in and how answers come out.
//!
//! Invariant: no operation here waits without a bound, and each refusal says whether the message was handled.

use std::fmt;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::{CallError, CastError, TryCastError};
use crate::exit::Exit;
use crate::life::{Core, Refused};
use crate::monitor::{Down, Monitor};
use crate::process::{Exited, Hook, Process, ServerId, ServerInfo, WatchId};
use crate::timer::{TimerRef, Timers};

/// How long [`Addr::ask`] waits for an answer and [`Addr::cast`] for room.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The address of a server that takes messages of type `M`. Cheap to clone, stays valid as a value after
/// the server's end: every use of it then says `NoProc`.
pub struct Addr<M> {
    pub(crate) core: Arc<Core<M>>,
}

impl<M> Clone for Addr<M> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone() }
    }
}

impl<M: Send + 'static> Addr<M> {
    /// This start of the server, unlike its name.
    pub fn id(&self) -> ServerId {
        self.core.id()
    }

    /// Sends a message that carries a [`Reply`] and waits for the answer.
    ///
    /// A full mailbox answers `Overloaded` at once. If the server ends, the caller hears of it at once: `NoProc`
    /// if its message was still queued, `Crashed` if it had been taken.
    pub async fn call<R>(
        &self,
        patience: Duration,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        let (answer, receiver) = oneshot::channel();
        let number = match self.core.push(message(Reply { answer })) {
            Ok(number) => number,
            Err(Refused::Full(_)) => return Err(CallError::Overloaded),
            Err(Refused::Closed(_)) => return Err(CallError::NoProc),
        };
        match timeout(patience, receiver).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) if self.core.was_taken(number) => Err(CallError::Crashed),
            Ok(Err(_)) => Err(CallError::NoProc),
            Err(_) => Err(CallError::Timeout),
        }
    }

    /// [`call`](Self::call) with [`DEFAULT_TIMEOUT`].
    pub async fn ask<R>(&self, message: impl FnOnce(Reply<R>) -> M) -> Result<R, CallError> {
        self.call(DEFAULT_TIMEOUT, message).await
    }

    /// Queues a message and does not wait for its effect. Waits for room, at most [`DEFAULT_TIMEOUT`].
    pub async fn cast(&self, message: M) -> Result<(), CastError> {
        self.cast_within(DEFAULT_TIMEOUT, message).await
    }

    /// [`cast`](Self::cast) that waits for room at most this long.
    pub async fn cast_within(&self, patience: Duration, message: M) -> Result<(), CastError> {
        match self.try_cast(message) {
            Ok(()) => Ok(()),
            Err(TryCastError::NoProc(_)) => Err(CastError::NoProc),
            Err(TryCastError::Full(message)) => {
                timeout(patience, self.wait_for_room(message)).await.unwrap_or(Err(CastError::Overloaded))
            }
        }
    }

    async fn wait_for_room(&self, message: M) -> Result<(), CastError> {
        let mut ticket = Ticket { core: &self.core, id: WatchId::next(), done: false };
        let mut message = Some(message);
        std::future::poll_fn(|cx| {
            let Some(unsent) = message.take() else { return Poll::Ready(Ok(())) };
            match self.core.poll_push(ticket.id, unsent, cx.waker()) {
                Ok(()) => {
                    ticket.done = true;
                    Poll::Ready(Ok(()))
                }
                Err(Refused::Full(back)) => {
                    message = Some(back);
                    Poll::Pending
                }
                Err(Refused::Closed(_)) => Poll::Ready(Err(CastError::NoProc)),
            }
        })
        .await
    }

    /// Queues a message if there is room now, and gives it back otherwise. Never waits.
    pub fn try_cast(&self, message: M) -> Result<(), TryCastError<M>> {
        match self.core.push(message) {
            Ok(_) => Ok(()),
            Err(Refused::Full(message)) => Err(TryCastError::Full(message)),
            Err(Refused::Closed(message)) => Err(TryCastError::NoProc(message)),
        }
    }

    /// Asks the server to stop before any queued message and returns at once. `terminate` runs.
    pub fn stop(&self, reason: Exit) {
        self.core.request_stop(reason);
    }

    /// Aborts the server at its next await point. `terminate` does not run.
    pub fn kill(&self) {
        self.core.kill();
    }

    /// Waits until the server is dead: its state dropped, its names free, its supervisor told.
    pub fn exited(&self) -> impl Future<Output = Exit> + Send + use<M> {
        Exited::new(self.core.clone())
    }

    /// Whether the server takes messages.
    pub fn is_running(&self) -> bool {
        self.core.is_running()
    }

    /// Mailbox length, messages handled and so on.
    pub fn info(&self) -> ServerInfo {
        self.core.info()
    }

    /// Calls a closure with [`Down`] once the server is dead, at once if it is. For code that is no server;
    /// servers use [`Ctx::monitor`](crate::Ctx::monitor). The closure runs in the dying server's task: keep it short.
    pub fn monitor(&self, act: impl FnOnce(Down) + Send + 'static) -> Monitor {
        let id = self.id();
        let watch = WatchId::next();
        let hook: Hook = Box::new(move |exit| act(Down { id, reason: exit.clone() }));
        self.core.watch(watch, hook);
        Monitor { watch, target: Some(self.core.clone()) }
    }

    /// Sends a message to the server after a delay. The timer ends with the server.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn send_after(&self, delay: Duration, message: M) -> TimerRef {
        let to = self.clone();
        let timer = Timers::of(self.id().get()).once(
            delay,
            Box::new(move || {
                to.core.push_system(message);
            }),
        );
        self.core.attach_timer(timer.clone());
        timer
    }

    /// Sends a message to the server every period, first after one period. A tick that finds the mailbox full is
    /// skipped. The timer ends with the server.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn send_interval(
        &self,
        period: Duration,
        mut message: impl FnMut() -> M + Send + 'static,
    ) -> TimerRef {
        let to = self.clone();
        let timer = Timers::of(self.id().get())
            .every(period, Box::new(move || !matches!(to.try_cast(message()), Err(TryCastError::NoProc(_)))));
        self.core.attach_timer(timer.clone());
        timer
    }

    /// The address without its message type.
    pub fn server_ref(&self) -> ServerRef {
        ServerRef { process: self.core.clone() }
    }
}

impl<M> fmt::Debug for Addr<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Addr(")?;
        f.write_str(std::any::type_name::<M>())?;
        f.write_str(")")
    }
}

impl<M: Send + 'static> PartialEq for Addr<M> {
    /// Two addresses are equal if they are of the same start of the same server.
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl<M: Send + 'static> Eq for Addr<M> {}

/// A cast's place among those that wait for room.
struct Ticket<'a, M: Send + 'static> {
    core: &'a Core<M>,
    id: WatchId,
    done: bool,
}

impl<M: Send + 'static> Drop for Ticket<'_, M> {
    fn drop(&mut self) {
        if !self.done {
            self.core.leave_senders(self.id);
        }
    }
}

/// Where the answer of a call goes. May be kept in the server's state and answered later; dropped without an
/// answer it tells the caller [`CallError::Crashed`].
pub struct Reply<R> {
    answer: oneshot::Sender<R>,
}

impl<R> Reply<R> {
    /// Answers the caller. If it no longer waits, the answer is dropped.
    pub fn send(self, answer: R) {
        drop(self.answer.send(answer));
    }

    /// Whether the caller has given up, so that the work can be spared.
    pub fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// A server without its message type: can be watched and stopped, not spoken to.
#[derive(Clone)]
pub struct ServerRef {
    pub(crate) process: Arc<dyn Process>,
}

impl ServerRef {
    /// The server's id.
    pub fn id(&self) -> ServerId {
        self.process.id()
    }

    /// See [`Addr::stop`].
    pub fn stop(&self, reason: Exit) {
        self.process.request_stop(reason);
    }

    /// See [`Addr::kill`].
    pub fn kill(&self) {
        self.process.kill();
    }

    /// See [`Addr::exited`].
    pub fn exited(&self) -> impl Future<Output = Exit> + Send + use<> {
        Exited::new(self.process.clone())
    }

    /// See [`Addr::is_running`].
    pub fn is_running(&self) -> bool {
        self.process.is_running()
    }

    /// See [`Addr::info`].
    pub fn info(&self) -> ServerInfo {
        self.process.info()
    }
}

impl fmt::Debug for ServerRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerRef({})", self.id())
    }
}

impl<M: Send + 'static> From<&Addr<M>> for ServerRef {
    fn from(addr: &Addr<M>) -> Self {
        addr.server_ref()
    }
}

impl From<&ServerRef> for ServerRef {
    fn from(server: &ServerRef) -> Self {
        server.clone()
    }
}
