//! The counters as a server with an heir.
//!
//! **Invariant.** A change is with the heir before its caller hears of it, and with the heir as a whole: an acknowledged change
//! survives a crash, and a batch never survives in half.

use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

use crate::counters::{Counters, Full};
use crate::heir::Heir;
use crate::server::{CallError, Handle, Next, Reply, Server, Spec};
use crate::supervisor::{Child, Restart};

/// The bounds of one counter server.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a count lives after its last update.
    pub ttl: Duration,
    /// How many counts there may be.
    pub keys: usize,
    /// How long a caller waits.
    pub patience: Duration,
    /// Its mailbox, and how often it sweeps.
    pub spec: Spec,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_mins(1),
            keys: 100_000,
            patience: Duration::from_secs(5),
            spec: Spec::default(),
        }
    }
}

/// The caller's own code: from a key and its count to the new count. It runs in the server, and may panic there.
pub type Update = Box<dyn FnMut(&str, u64) -> u64 + Send>;

/// What the server can be sent.
pub enum Message {
    /// Update these keys, all or none.
    Update(Vec<String>, Update, Reply<Result<Vec<u64>, Full>>),
    /// Tell a count.
    Get(String, Reply<u64>),
    /// Tell how many keys are kept.
    Len(Reply<usize>),
}

/// One life of the server.
pub struct Counter {
    counters: Counters,
    heir: Heir,
}

impl Counter {
    /// A child that can be supervised, and its clients' way to it.
    pub fn child(settings: Settings) -> (Child, Client) {
        let heir = Heir::new(settings.ttl);
        let kept = heir.clone();
        let (child, handle) = Child::new(Restart::Permanent, settings.spec, move || {
            Self::inherit(&settings, &kept, Instant::now())
        });
        (child, Client { handle, heir, patience: settings.patience })
    }

    /// A new life, with what the former one has left.
    fn inherit(settings: &Settings, heir: &Heir, now: Instant) -> Self {
        //>> inherit
        //? A count had ten seconds left when the server crashed. How many has it now?
        let mut counters = Counters::new(settings.ttl, settings.keys);
        heir.sweep(now);
        // As they are, with their own ends: a crash makes nothing live longer.
        counters.apply(&heir.estate());
        Self { counters, heir: heir.clone() }
        //<<
    }

    /// Updates the keys, and answers when a crash can no longer undo it.
    fn change(&mut self, now: Instant, keys: &[String], with: Update) -> Result<Vec<u64>, Full> {
        //>> change
        //? `with` is somebody else's code and may panic at any key. What may the heir know by then?
        //? The caller is answered with what you return. What must be true before that?
        let changes = self.counters.update(now, keys, with)?;
        self.heir.record(&changes);
        Ok(changes.iter().map(|change| change.value).collect())
        //<<
    }
}

impl Server for Counter {
    type Message = Message;

    fn handle(&mut self, message: Message, now: Instant) -> Next {
        match message {
            Message::Update(keys, with, reply) => reply.send(self.change(now, &keys, with)),
            Message::Get(key, reply) => reply.send(self.counters.get(now, &key)),
            Message::Len(reply) => reply.send(self.counters.len()),
        }
        Next::GoOn
    }

    fn tick(&mut self, now: Instant) {
        self.counters.sweep(now);
        self.heir.sweep(now);
    }
}

/// Why there is no count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CounterError {
    /// There is no room.
    #[error(transparent)]
    Full(#[from] Full),
    /// There is no answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The counters as others see them. Cheap to clone, and good over restarts.
#[derive(Clone)]
pub struct Client {
    handle: Handle<Message>,
    heir: Heir,
    patience: Duration,
}

impl Client {
    /// Counts one more, and says how many that makes.
    pub async fn increment(&self, key: &str) -> Result<u64, CounterError> {
        let counts = self.update(vec![key.to_owned()], |_, count| count.saturating_add(1)).await?;
        Ok(counts.first().copied().unwrap_or(0))
    }

    /// Puts `with(key, count)` in place of each key's count, of all or of none.
    pub async fn update(
        &self,
        keys: Vec<String>,
        with: impl FnMut(&str, u64) -> u64 + Send + 'static,
    ) -> Result<Vec<u64>, CounterError> {
        let with: Update = Box::new(with);
        Ok(self.handle.call(self.patience, |reply| Message::Update(keys, with, reply)).await??)
    }

    /// The count of a key; 0 if there is none, or if its time is over.
    pub async fn get(&self, key: &str) -> Result<u64, CallError> {
        self.handle.call(self.patience, |reply| Message::Get(key.to_owned(), reply)).await
    }

    /// How many keys are kept.
    pub async fn len(&self) -> Result<usize, CallError> {
        self.handle.call(self.patience, Message::Len).await
    }

    /// Whether none is.
    pub async fn is_empty(&self) -> Result<bool, CallError> {
        Ok(self.len().await? == 0)
    }

    /// How many facts lie with the heir.
    pub fn inherited(&self) -> usize {
        self.heir.len()
    }
}
