//! Why a server ended. Invariant: every server that was started ends with exactly one `Exit`.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The reason with which a server ended or shall end.
///
/// `Normal` and `Shutdown` are ends in good order; `Killed` and `Crashed` are failures, which is what a
/// [`transient`](crate::Spec::transient) child is restarted for.
///
/// Any error turns into `Crashed`, so `?` works in [`GenServer::init`](crate::GenServer::init):
///
/// ```
/// # use otp::Exit;
/// fn parse(text: &str) -> Result<u32, Exit> {
///     Ok(text.parse::<u32>()?)
/// }
/// assert!(parse("x").unwrap_err().is_failure());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// The server had nothing more to do.
    Normal,
    /// Its supervisor, or somebody with its address, asked it to stop.
    Shutdown,
    /// It was aborted at an await point; `terminate` did not run.
    Killed,
    /// It panicked or gave up with this message.
    Crashed(Arc<str>),
}

impl Exit {
    /// A crash with a message.
    pub fn crash(message: impl fmt::Display) -> Self {
        Self::Crashed(message.to_string().into())
    }

    /// Whether a transient child is restarted for it.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Killed | Self::Crashed(_))
    }

    /// A crash with the text of a caught panic.
    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("panic with a payload that is not text");
        Self::Crashed(text.into())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::Killed => f.write_str("killed"),
            Self::Crashed(message) => write!(f, "crashed: {message}"),
        }
    }
}

impl<E: Error> From<E> for Exit {
    fn from(error: E) -> Self {
        Self::crash(error)
    }
}
