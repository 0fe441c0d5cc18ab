//! Who is here: keys with metas on a topic, told to all who joined it.
//!
//! Invariant: a tracked server that is dead is untracked, and every change is told exactly once, in the order of its
//! server's own doing.

mod meta;
mod store;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use otp::{Addr, Monitor, PubSub, ServerId};
use parking_lot::Mutex;
use serde::Serialize;

use crate::broadcast::Broadcaster;
use crate::payload::Payload;

pub use meta::{Diff, Meta, NotAnObject, Present};
pub use store::{AlreadyTracked, LocalStore, PresenceStore};

/// The event of the whole state, pushed to a joiner.
pub const STATE: &str = "presence_state";
/// The event of a change, broadcast to all.
pub const DIFF: &str = "presence_diff";

/// Tracks servers under keys and tells the topic about it. Cheap to clone; clones are the same presence.
///
/// A channel's join pushes the state and then tracks itself, both from an info of its own, so that the client is joined
/// when they arrive:
///
/// ```
/// # use channels::{Channel, Ctx, Join, JoinRefused, Joined, Presence};
/// struct Lobby;
/// enum Info { Joined }
///
/// impl Channel for Lobby {
///     type Assigns = String;
///     type Context = Presence;
///     type Info = Info;
///
///     async fn join(_: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
///         ctx.send_self(Info::Joined);
///         Ok(Joined::new(Self))
///     }
///
///     async fn handle_info(&mut self, Info::Joined: Info, ctx: &mut Ctx<'_, Self>) {
///         let here = ctx.context().clone();
///         let user = ctx.assigns().clone();
///         ctx.push(channels::presence::STATE, here.state(ctx.topic()));
///         // Already tracked can't be: this info comes once.
///         let _ = here.track(ctx.addr(), ctx.topic(), &user, &serde_json::json!({ "status": "online" }));
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Presence {
    inner: Arc<Inner>,
}

struct Inner {
    store: Box<dyn PresenceStore>,
    broadcaster: Broadcaster,
    /// What this node's servers track, and the monitor that ends it.
    owners: Mutex<HashMap<ServerId, Owner>>,
    changes: PubSub<Arc<str>, Diff>,
}

#[derive(Default)]
struct Owner {
    /// None for the moment between the entry and its monitor.
    monitor: Option<Monitor>,
    tracked: Vec<(Arc<str>, Arc<str>)>,
}

/// Why a server is not tracked.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// The meta has no place for its ref.
    #[error(transparent)]
    Meta(#[from] NotAnObject),
    /// Once a server, topic and key; to change it, use [`Presence::update`].
    #[error(transparent)]
    Already(#[from] AlreadyTracked),
}

impl Presence {
    /// In this process alone.
    pub fn new(broadcaster: Broadcaster) -> Self {
        Self::with_store(broadcaster, LocalStore::default())
    }

    /// In a store of its own, which other nodes may know of.
    pub fn with_store(broadcaster: Broadcaster, store: impl PresenceStore) -> Self {
        let owners = Mutex::default();
        Self {
            inner: Arc::new(Inner { store: Box::new(store), broadcaster, owners, changes: PubSub::new() }),
        }
    }

    /// Tracks a server under a key of a topic until it ends. A key may have several metas: one for each tab of a user.
    pub fn track<M: Send + 'static, V: Serialize + ?Sized>(
        &self,
        server: &Addr<M>,
        topic: &str,
        key: &str,
        meta: &V,
    ) -> Result<(), TrackError> {
        let meta = Meta::new(meta, None)?;
        let owner = server.id();
        self.inner.store.insert(topic, key, owner, meta.clone())?;
        let is_new = {
            let mut owners = self.inner.owners.lock();
            let entry = owners.entry(owner).or_default();
            entry.tracked.push((topic.into(), key.into()));
            entry.tracked.len() == 1
        };
        self.tell(topic, Diff::joined(key, meta));
        if is_new {
            // Outside of the lock: a dead server's monitor acts at once.
            let weak = Arc::downgrade(&self.inner);
            let monitor = server.monitor(move |_| {
                if let Some(inner) = weak.upgrade() {
                    Self { inner }.forget(owner);
                }
            });
            match self.inner.owners.lock().get_mut(&owner) {
                Some(entry) => entry.monitor = Some(monitor),
                None => monitor.cancel(),
            }
        }
        Ok(())
    }

    /// Replaces the meta of a tracked server. False if it is not tracked.
    pub fn update<M: Send + 'static, V: Serialize + ?Sized>(
        &self,
        server: &Addr<M>,
        topic: &str,
        key: &str,
        meta: &V,
    ) -> Result<bool, NotAnObject> {
        let Some(old) = self.inner.store.find(topic, key, server.id()) else { return Ok(false) };
        let new = Meta::new(meta, Some(old.reference()))?;
        let Some(old) = self.inner.store.replace(topic, key, server.id(), new.clone()) else {
            return Ok(false);
        };
        let mut diff = Diff::joined(key, new);
        diff.leaves = Diff::left(key, old).leaves;
        self.tell(topic, diff);
        Ok(true)
    }

    /// Tracks a server no more. False if it was not tracked.
    pub fn untrack<M: Send + 'static>(&self, server: &Addr<M>, topic: &str, key: &str) -> bool {
        let owner = server.id();
        let spent = {
            let mut owners = self.inner.owners.lock();
            let Some(entry) = owners.get_mut(&owner) else { return false };
            entry.tracked.retain(|(known, name)| !(&**known == topic && &**name == key));
            if entry.tracked.is_empty() { owners.remove(&owner) } else { None }
        };
        if let Some(monitor) = spent.and_then(|entry| entry.monitor) {
            monitor.cancel();
        }
        match self.inner.store.remove(topic, key, owner) {
            Some(meta) => {
                self.tell(topic, Diff::left(key, meta));
                true
            }
            None => false,
        }
    }

    /// All keys of a topic with their metas. O(n).
    pub fn list(&self, topic: &str) -> Vec<Present> {
        self.inner.store.list(topic)
    }

    /// How many keys a topic has.
    pub fn count(&self, topic: &str) -> usize {
        self.inner.store.count(topic)
    }

    /// The state as a joiner is told it, for the event [`STATE`].
    pub fn state(&self, topic: &str) -> Payload {
        Payload::Json(meta::state(&self.list(topic)).into())
    }

    /// Tells a topic's clients here of a change that happened elsewhere: for stores that know other nodes. Fails silently
    /// for nobody: a topic without clients costs nothing.
    pub fn announce(&self, topic: &str, diff: Diff) {
        self.tell(topic, diff);
    }

    /// Every change by its topic, for servers and views of this process.
    pub fn changes(&self) -> &PubSub<Arc<str>, Diff> {
        &self.inner.changes
    }

    fn tell(&self, topic: &str, diff: Diff) {
        if let Err(error) =
            self.inner.broadcaster.broadcast(topic, DIFF, Payload::Json(diff.to_json().into()))
        {
            tracing::error!(%error, "presence diff can't be sent");
        }
        self.inner.changes.publish(topic, diff);
    }

    /// A server is dead: one diff a topic.
    fn forget(&self, owner: ServerId) {
        let Some(entry) = self.inner.owners.lock().remove(&owner) else { return };
        let mut diffs: Vec<(Arc<str>, Diff)> = Vec::new();
        for (topic, key) in entry.tracked {
            let Some(meta) = self.inner.store.remove(&topic, &key, owner) else { continue };
            let left = Diff::left(&key, meta);
            match diffs.iter_mut().find(|(known, _)| *known == topic) {
                Some((_, diff)) => diff.leaves.extend(left.leaves),
                None => diffs.push((topic, left)),
            }
        }
        for (topic, diff) in diffs {
            self.tell(&topic, diff);
        }
    }
}

impl fmt::Debug for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").field("owners", &self.inner.owners.lock().len()).finish()
    }
}
