//! The front: a call by key.
//!
//! **Invariant.** A call starts its session's worker if there is none, and never a second one. It is handled once or not at all: only what
//! certainly was not looked at is sent again, to the next life. All attempts share one patience.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::address::{Address, End, Reply};
use crate::intensity::Intensity;
use crate::life::Session;
use crate::registry::Registry;
use crate::supervisor::{Command, Refused, Report, Supervisor};

/// Starts that may wait for the supervisor; more wait at the door.
const STARTS: usize = 1_024;

/// The bounds of all sessions together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Workers that may run at a time.
    pub workers: usize,
    /// Messages that may wait for one worker; callers wait for room.
    pub mailbox: usize,
    /// A worker that has had nothing to do for this long goes to sleep.
    pub idle: Duration,
    /// How long a caller waits, all in all.
    pub patience: Duration,
    /// Crashes of one session that are answered with a restart.
    pub intensity: Intensity,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: 100_000,
            mailbox: 64,
            idle: Duration::from_mins(1),
            patience: Duration::from_secs(5),
            intensity: Intensity::default(),
        }
    }
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// No worker could be started. Nothing was done.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The session could not be opened. Nothing was done.
    #[error("the session could not be opened: {0}; nothing was done")]
    NotOpened(Arc<str>),
    /// There was no room in the worker's mailbox, or no worker, until the patience was at its end. Nothing was done.
    #[error("the session had no room in time; nothing was done")]
    Overloaded,
    /// The worker had the message and ended. The work may be done or not.
    #[error("the session ended before it answered; the work may be done or not")]
    Died,
    /// The patience is at its end. The work may be done or not.
    #[error("no answer in time; the work may be done or not")]
    Timeout,
}

/// All sessions of one kind. Cheap to clone; with the last clone all workers are aborted. [`shut_down`](Self::shut_down) lets them
/// close first.
pub struct Sessions<S: Session> {
    registry: Registry<S::Key, S::Message>,
    commands: mpsc::Sender<Command<S>>,
    limits: Limits,
}

impl<S: Session> Clone for Sessions<S> {
    fn clone(&self) -> Self {
        Self { registry: self.registry.clone(), commands: self.commands.clone(), limits: self.limits }
    }
}

impl<S: Session> Sessions<S> {
    /// No workers yet.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(limits: Limits, world: Arc<S::World>) -> Self {
        let (commands, inbox) = mpsc::channel(STARTS);
        tokio::spawn(Supervisor::<S>::new(limits, world).run(inbox));
        Self { registry: Registry::default(), commands, limits }
    }

    /// Sends a question to a session's worker, starting it if need be, and waits for the answer.
    pub async fn call<R>(
        &self,
        key: &S::Key,
        question: impl FnOnce(Reply<R>) -> S::Message,
    ) -> Result<R, CallError> {
        let deadline = Instant::now() + self.limits.patience;
        let (reply, answer) = Reply::channel();
        let address = match timeout_at(deadline, self.deliver(key, question(reply))).await {
            Ok(delivered) => delivered?,
            Err(_) => return Err(CallError::Overloaded),
        };
        match timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Err(_) => Err(CallError::Timeout),
            // The reply was dropped unanswered. Did this life ever begin?
            Ok(Err(_)) => {
                let end = timeout_at(deadline, address.gone()).await.unwrap_or(End::Over);
                Err(not_begun(end).unwrap_or(CallError::Died))
            }
        }
    }

    /// Puts a message into the mailbox of a life that takes it, and says of which.
    async fn deliver(&self, key: &S::Key, mut message: S::Message) -> Result<Address<S::Message>, CallError> {
        //>> deliver
        //? The mailbox that you found is closed: its life is just ending. Was your message looked at? What do you wait for?
        //? You are the thousandth who wakes up then.
        loop {
            let address = self.find_or_start(key).await?;
            match address.send(message).await {
                Ok(()) => return Ok(address),
                Err(back) => message = back,
            }
            if let Some(error) = not_begun(address.gone().await) {
                return Err(error);
            }
        }
        //<<
    }

    /// The address of a session's worker, which runs or is just starting or ending.
    async fn find_or_start(&self, key: &S::Key) -> Result<Address<S::Message>, Refused> {
        //>> find_or_start
        //? Opening takes a while. Where do the other callers of this key wait meanwhile?
        //? Your caller may give up, and this future be dropped, at any `await`. What has become of the name then?
        //? `self.commands.reserve()` waits for a place among the commands, and `send` on what it gives waits no more.
        if let Some(address) = self.registry.whereis(key) {
            return Ok(address);
        }
        // The last wait comes before the claim: between the claim and the command nobody can be dropped.
        let place = self.commands.reserve().await.map_err(|_| Refused::Closing)?;
        let (address, post) = Address::new(self.limits.mailbox);
        match self.registry.claim(key, &address) {
            Ok(name) => place.send(Command::Start(name, post)),
            Err(faster) => return Ok(faster),
        }
        Ok(address)
        //<<
    }

    /// Puts a session to sleep, and comes back when it may be opened again.
    pub async fn close(&self, key: &S::Key) {
        if let Some(address) = self.registry.whereis(key) {
            address.stop();
            address.gone().await;
        }
    }

    /// Starts nothing any more, lets all close, and aborts whoever is not done within `grace`. Nobody runs when this comes back.
    pub async fn shut_down(&self, grace: Duration) -> Report {
        let (reply, report) = oneshot::channel();
        let _ = self.commands.send(Command::ShutDown(grace, reply)).await;
        report.await.unwrap_or_default()
    }

    /// The names of those who run.
    pub fn registry(&self) -> &Registry<S::Key, S::Message> {
        &self.registry
    }
}

/// What a caller hears of a life that never began.
fn not_begun(end: End) -> Option<CallError> {
    match end {
        End::Refused(refused) => Some(CallError::Refused(refused)),
        End::NotOpened(why) => Some(CallError::NotOpened(why)),
        End::Running | End::Over => None,
    }
}
