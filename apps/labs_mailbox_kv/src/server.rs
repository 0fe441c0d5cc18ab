//! The key-value process: a loop around the store.
//!
//! **Invariant.** One message at a time, each at one instant: what has expired by then is gone before the message is looked
//! at. A client is monitored once, however many keys it has, and its keys go when it goes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

use crate::call::{CallError, Reply};
use crate::mailbox::{Address, Mailbox, Received, Refused, mailbox};
use crate::process::{Down, Pid, Process, ProcessId, spawn};
use crate::store::{Full, Store};

/// The bounds of one server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages that may wait.
    pub mailbox: usize,
    /// Keys that may be kept.
    pub keys: usize,
    /// How long a caller waits for an answer.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { mailbox: 1_000, keys: 100_000, patience: Duration::from_secs(5) }
    }
}

/// For whom a value is kept, and for how long. By default for everybody and for ever.
#[derive(Clone, Default)]
pub struct Keep {
    owner: Option<Pid>,
    ttl: Option<Duration>,
}

impl Keep {
    /// For everybody and for ever.
    pub fn forever() -> Self {
        Self::default()
    }

    /// Until this process ends.
    pub fn owned_by(mut self, owner: &Pid) -> Self {
        self.owner = Some(owner.clone());
        self
    }

    /// For this long from now. A time that no clock can show is no limit.
    pub fn at_most(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

/// Why a value was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KvError {
    /// There is no room for another key.
    #[error(transparent)]
    Full(#[from] Full),
    /// There was no answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

enum Message<V> {
    Put(String, V, Keep, Reply<Result<(), Full>>),
    Get(String, Reply<Option<V>>),
    Delete(String, Reply<Option<V>>),
    Discard(String),
    Len(Reply<usize>),
    Down(Down),
}

/// The handle of a key-value process. Cheap to clone; the process ends in good order when the last clone is dropped.
pub struct Kv<V> {
    shared: Arc<Shared<V>>,
}

struct Shared<V> {
    address: Address<Message<V>>,
    process: Process,
    patience: Duration,
}

impl<V> Drop for Shared<V> {
    fn drop(&mut self) {
        self.address.close();
    }
}

impl<V> Clone for Kv<V> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<V: Clone + Send + 'static> Kv<V> {
    /// Starts a process with nothing in it.
    ///
    /// ```
    /// # use labs_mailbox_kv::{Keep, Kv, KvError, Limits};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), KvError> {
    /// let kv = Kv::start(Limits::default());
    /// kv.put("greeting", "hello", Keep::forever()).await?;
    /// assert_eq!(kv.get("greeting").await?, Some("hello"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(limits: Limits) -> Self {
        let (address, mailbox) = mailbox(limits.mailbox);
        let own = address.clone();
        let store = Store::new(limits.keys);
        let process = spawn(move |_me| serve(mailbox, own, store));
        Self { shared: Arc::new(Shared { address, process, patience: limits.patience }) }
    }

    /// Keeps a value under a key, in place of what was there.
    pub async fn put(&self, key: &str, value: V, keep: Keep) -> Result<(), KvError> {
        let key = key.to_owned();
        Ok(self.call(|reply| Message::Put(key, value, keep, reply)).await??)
    }

    /// The value under a key.
    pub async fn get(&self, key: &str) -> Result<Option<V>, CallError> {
        let key = key.to_owned();
        self.call(|reply| Message::Get(key, reply)).await
    }

    /// Forgets a key, and gives back the value that was under it.
    pub async fn delete(&self, key: &str) -> Result<Option<V>, CallError> {
        let key = key.to_owned();
        self.call(|reply| Message::Delete(key, reply)).await
    }

    /// Forgets a key without waiting for it: a cast.
    pub fn discard(&self, key: &str) -> Result<(), CallError> {
        self.shared.address.cast(Message::Discard(key.to_owned())).map_err(|refused| match refused {
            Refused::Full(_) => CallError::Overloaded,
            Refused::Closed(_) => CallError::NoProc,
        })
    }

    /// How many keys there are.
    pub async fn len(&self) -> Result<usize, CallError> {
        self.call(Message::Len).await
    }

    /// Whether there are none.
    pub async fn is_empty(&self) -> Result<bool, CallError> {
        Ok(self.len().await? == 0)
    }

    /// The process itself: to monitor it, or to kill it.
    pub fn process(&self) -> &Process {
        &self.shared.process
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.shared.address.waiting()
    }

    async fn call<R>(&self, message: impl FnOnce(Reply<R>) -> Message<V>) -> Result<R, CallError> {
        self.shared.address.call(self.shared.patience, message).await
    }
}

async fn serve<V: Clone + Send + 'static>(
    mut mailbox: Mailbox<Message<V>>,
    own: Address<Message<V>>,
    mut store: Store<V>,
) {
    // Those who are monitored, so that a client with a thousand keys is watched once.
    let mut watched: HashSet<ProcessId> = HashSet::new();
    //>> serve
    //? Until when do you wait for a message, if a value expires in an hour and messages come every second?
    //? `respond` answers one message.
    loop {
        match mailbox.receive(store.next_expiry()).await {
            Received::Message(message) => {
                let now = Instant::now();
                store.expire(now);
                respond(message, now, &own, &mut store, &mut watched);
            }
            Received::TimedOut => {
                store.expire(Instant::now());
            }
            Received::Closed => return,
        }
    }
    //<<
}

fn respond<V: Clone + Send + 'static>(
    message: Message<V>,
    now: Instant,
    own: &Address<Message<V>>,
    store: &mut Store<V>,
    watched: &mut HashSet<ProcessId>,
) {
    match message {
        Message::Put(key, value, keep, reply) => {
            let owner = keep.owner.as_ref().map(Pid::id);
            let kept = store.put(now, &key, value, owner, keep.ttl);
            if let (Ok(()), Some(owner)) = (kept, keep.owner) {
                watch(&owner, own, watched);
            }
            reply.send(kept);
        }
        Message::Get(key, reply) => reply.send(store.get(now, &key).cloned()),
        Message::Delete(key, reply) => reply.send(store.remove(&key)),
        Message::Discard(key) => {
            store.remove(&key);
        }
        Message::Len(reply) => reply.send(store.len()),
        Message::Down(down) => {
            watched.remove(&down.id);
            store.release(down.id);
        }
    }
}

/// Makes sure that the end of `client` comes to us as a message.
fn watch<V: Clone + Send + 'static>(
    client: &Pid,
    own: &Address<Message<V>>,
    watched: &mut HashSet<ProcessId>,
) {
    //>> watch
    //? The news of an end must not be lost when the mailbox is full. Why may this one message go beyond the bound?
    //? How many monitors does a client with a thousand keys need?
    if watched.insert(client.id()) {
        let own = own.clone();
        client.monitor(move |down| own.send_beyond_the_bound(Message::Down(down)));
    }
    //<<
}
