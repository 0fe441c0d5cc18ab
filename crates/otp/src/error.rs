//! The typed answers of calls, casts and starts. Invariant: a caller can tell "never handled" from "outcome unknown".

use std::fmt;

use thiserror::Error;

use crate::addr::Addr;
use crate::exit::Exit;

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum CallError {
    /// The server was gone, or ended while the message was still queued. It was never handled: trying again is safe.
    #[error("the server is not running; the message was not handled")]
    NoProc,
    /// No answer in time. The message may still be handled later.
    #[error("the server did not answer in time; the outcome is unknown")]
    Timeout,
    /// The mailbox is full. The message was never queued: slow down and try again.
    #[error("the server's mailbox is full; the message was not handled")]
    Overloaded,
    /// The server took the message and ended, or dropped the [`Reply`](crate::Reply), without an answer.
    #[error("the server took the message and gave no answer; the outcome is unknown")]
    Crashed,
}

impl CallError {
    /// Whether the message was certainly not handled, so that a retry can't do the work twice.
    pub fn was_not_handled(self) -> bool {
        matches!(self, Self::NoProc | Self::Overloaded)
    }
}

/// Why a cast was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum CastError {
    /// The server is not running.
    #[error("the server is not running; the message was not queued")]
    NoProc,
    /// The mailbox had no room in time.
    #[error("the server's mailbox stayed full; the message was not queued")]
    Overloaded,
}

/// Why [`Addr::try_cast`] gives the message back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
pub enum TryCastError<M> {
    /// The mailbox is full.
    #[error("the server's mailbox is full")]
    Full(M),
    /// The server is not running.
    #[error("the server is not running")]
    NoProc(M),
}

impl<M> TryCastError<M> {
    /// The message that was not queued.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message) | Self::NoProc(message) => message,
        }
    }
}

impl<M> fmt::Debug for TryCastError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::NoProc(_) => "NoProc(..)",
        })
    }
}

/// Why a server was not started. `M` is the server's message type.
#[derive(Error)]
pub enum StartError<M> {
    /// The name is taken by this server. It may be on its way out: see [`Addr::exited`].
    #[error("a server with this name is already running")]
    AlreadyStarted(Addr<M>),
    /// `init` returned an error or panicked.
    #[error("the server did not start: {0}")]
    Failed(Exit),
    /// `init` took longer than [`Spec::start_timeout`](crate::Spec::start_timeout); the child was killed.
    #[error("the server's init took too long")]
    Timeout,
    /// The supervisor has as many children as it may have.
    #[error("the supervisor has as many children as it may have")]
    MaxChildren,
    /// The supervisor is not running.
    #[error("the supervisor is not running")]
    NoSupervisor,
}

impl<M> StartError<M> {
    /// The reason as an exit, for a starter that gives up because its child did not start.
    pub fn into_exit(self) -> Exit {
        match self {
            Self::Failed(exit) => exit,
            other => Exit::crash(other),
        }
    }
}

impl<M> fmt::Debug for StartError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyStarted(addr) => f.debug_tuple("AlreadyStarted").field(addr).finish(),
            Self::Failed(exit) => f.debug_tuple("Failed").field(exit).finish(),
            Self::Timeout => f.write_str("Timeout"),
            Self::MaxChildren => f.write_str("MaxChildren"),
            Self::NoSupervisor => f.write_str("NoSupervisor"),
        }
    }
}

/// Why a child was not stopped in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum StopError {
    /// This supervisor has no such child.
    #[error("this supervisor has no such child")]
    NotFound,
    /// The child never reached an await point, so that the kill could not act. It is forgotten, its mailbox closed and
    /// its name free, but its thread is still busy.
    #[error("the child never awaits and could not be killed; it is leaked")]
    Leaked,
}
