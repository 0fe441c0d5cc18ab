//! Names for servers: a typed map from keys to addresses, as an instance.
//!
//! Invariant: a key names at most one server at a time, and an ending server removes an entry only if it is
//! still its own. The entry is gone before anybody can see the server as exited.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use papaya::{Equivalent, HashMap};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::addr::{Addr, Reply};
use crate::error::{CallError, StartError};
use crate::process::{Name, Process, ServerId};

/// A registry of servers of message type `M` under unique keys of type `K`. Cheap to clone; clones are the same
/// registry, and two registries never know of each other.
pub struct Registry<K, M> {
    map: Arc<HashMap<K, Addr<M>>>,
}

impl<K, M> Clone for Registry<K, M> {
    fn clone(&self) -> Self {
        Self { map: self.map.clone() }
    }
}

impl<K, M> fmt::Debug for Registry<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry")
    }
}

/// Why a name was not given.
#[derive(Error)]
pub enum NameTaken<M> {
    /// Another server has it.
    #[error("the name belongs to another server")]
    By(Addr<M>),
    /// The server that wanted it is no longer running.
    #[error("the server that wanted the name is no longer running")]
    NoProc,
}

impl<M> fmt::Debug for NameTaken<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(addr) => f.debug_tuple("By").field(addr).finish(),
            Self::NoProc => f.write_str("NoProc"),
        }
    }
}

impl<K, M> Default for Registry<K, M>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    M: Send + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K, M> Registry<K, M>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    M: Send + 'static,
{
    /// An empty registry.
    pub fn new() -> Self {
        Self { map: Arc::new(HashMap::new()) }
    }

    /// The server with this name. It may already be ending: see [`Addr::exited`]. O(1), takes no lock.
    pub fn whereis<Q>(&self, key: &Q) -> Option<Addr<M>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        self.map.pin().get(key).cloned()
    }

    /// Names a server that runs already. The name goes when the server ends.
    pub fn register(&self, key: K, addr: &Addr<M>) -> Result<(), NameTaken<M>> {
        self.claim(key, addr)
    }

    /// Takes the name from a server that keeps running. False if the name is not its own.
    pub fn unregister<Q>(&self, key: &Q, addr: &Addr<M>) -> bool
    where
        Q: Equivalent<K> + Hash + ?Sized,
    {
        let id = addr.id();
        matches!(self.map.pin().remove_if(key, |_, owner| owner.id() == id), Ok(Some(_)))
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// All names and addresses of some moment between call and return. O(n).
    pub fn entries(&self) -> Vec<(K, Addr<M>)> {
        self.map.pin().iter().map(|(key, addr)| (key.clone(), addr.clone())).collect()
    }

    /// Calls the server with this name, starting it first if there is none.
    ///
    /// A server that is just ending is waited for and started anew, so a server that stops itself with
    /// [`Ctx::stop_if_empty`](crate::Ctx::stop_if_empty) loses no call. Only calls that were certainly not handled
    /// are repeated; all attempts share `patience`.
    pub async fn call_or_start<Q, R, F>(
        &self,
        key: &Q,
        patience: Duration,
        start: impl Fn() -> F,
        message: impl Fn(Reply<R>) -> M,
    ) -> Result<R, EnsureError<M>>
    where
        Q: Equivalent<K> + Hash + ?Sized,
        F: Future<Output = Result<Addr<M>, StartError<M>>>,
    {
        let deadline = Instant::now() + patience;
        loop {
            let addr = match self.whereis(key) {
                Some(addr) => addr,
                None => match timeout_at(deadline, start()).await {
                    Err(_) => return Err(EnsureError::Call(CallError::Timeout)),
                    Ok(Ok(addr) | Err(StartError::AlreadyStarted(addr))) => addr,
                    Ok(Err(error)) => return Err(EnsureError::Start(error)),
                },
            };
            let left = deadline.saturating_duration_since(Instant::now());
            match addr.call(left, &message).await {
                Ok(answer) => return Ok(answer),
                Err(CallError::NoProc) => {
                    // Nothing was handled, so a timeout while waiting for the old one's end is no unknown outcome.
                    if timeout_at(deadline, addr.exited()).await.is_err() {
                        return Err(EnsureError::Call(CallError::NoProc));
                    }
                }
                Err(error) => return Err(EnsureError::Call(error)),
            }
        }
    }

    fn claim(&self, key: K, addr: &Addr<M>) -> Result<(), NameTaken<M>> {
        if let Err(taken) = self.map.pin().try_insert(key.clone(), addr.clone()) {
            return Err(NameTaken::By(taken.current.clone()));
        }
        let entry = Box::new(Entry { registry: self.clone(), key });
        addr.core.attach_name(entry).map_err(|entry| {
            entry.release(addr.id());
            NameTaken::NoProc
        })
    }
}

/// Why [`Registry::call_or_start`] has no answer.
#[derive(Error)]
pub enum EnsureError<M> {
    /// The server could not be started.
    #[error("the server could not be started: {0}")]
    Start(StartError<M>),
    /// The server did not answer.
    #[error(transparent)]
    Call(CallError),
}

impl<M> fmt::Debug for EnsureError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => f.debug_tuple("Start").field(error).finish(),
            Self::Call(error) => f.debug_tuple("Call").field(error).finish(),
        }
    }
}

/// A server's own entry; boxed with its process.
struct Entry<K, M> {
    registry: Registry<K, M>,
    key: K,
}

impl<K, M> Name for Entry<K, M>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    M: Send + 'static,
{
    fn release(self: Box<Self>, id: ServerId) {
        let map = self.registry.map.pin();
        // Not found, or another's: then there is nothing to remove.
        let _ = map.remove_if(&self.key, |_, owner| owner.core.id() == id);
    }
}

/// A name that a server shall have before its first message.
pub(crate) trait NameFor<M>: Send + Sync {
    fn claim(&self, addr: &Addr<M>) -> Result<(), NameTaken<M>>;
}

pub(crate) struct Wanted<K, M> {
    pub(crate) registry: Registry<K, M>,
    pub(crate) key: K,
}

impl<K, M> NameFor<M> for Wanted<K, M>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    M: Send + 'static,
{
    fn claim(&self, addr: &Addr<M>) -> Result<(), NameTaken<M>> {
        self.registry.claim(self.key.clone(), addr)
    }
}
