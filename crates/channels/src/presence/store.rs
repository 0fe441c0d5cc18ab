//! Where presence is kept: a trait that a cluster can implement, and the map of one process.
//!
//! Invariant: one meta for each (topic, key, server); a topic or key without metas takes no room.

use std::collections::{BTreeMap, HashMap};

use otp::ServerId;
use parking_lot::RwLock;
use thiserror::Error;

use super::meta::{Meta, Present};

/// Keeps metas by topic, key and the server that they belong to.
///
/// The methods are called by this node's servers and never wait. A store that knows other nodes passes each change on in
/// its own time, adds the others' metas to `list` and `count`, and tells this node's clients of the others' changes with
/// [`Presence::announce`](super::Presence::announce).
pub trait PresenceStore: Send + Sync + 'static {
    /// Adds a meta behind those that the key has.
    fn insert(&self, topic: &str, key: &str, server: ServerId, meta: Meta) -> Result<(), AlreadyTracked>;
    /// The meta of this server.
    fn find(&self, topic: &str, key: &str, server: ServerId) -> Option<Meta>;
    /// Replaces the meta of this server, and gives the old one; nothing happens if there is none.
    fn replace(&self, topic: &str, key: &str, server: ServerId, meta: Meta) -> Option<Meta>;
    /// Takes the meta of this server away.
    fn remove(&self, topic: &str, key: &str, server: ServerId) -> Option<Meta>;
    /// All keys of a topic, in order.
    fn list(&self, topic: &str) -> Vec<Present>;
    /// How many keys a topic has.
    fn count(&self, topic: &str) -> usize;
}

/// The server is tracked under this topic and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this server is tracked under this topic and key already; update it instead")]
pub struct AlreadyTracked;

type Keys = BTreeMap<Box<str>, Vec<(ServerId, Meta)>>;

/// The presence of one process.
#[derive(Debug, Default)]
pub struct LocalStore {
    topics: RwLock<HashMap<Box<str>, Keys>>,
}

impl PresenceStore for LocalStore {
    fn insert(&self, topic: &str, key: &str, server: ServerId, meta: Meta) -> Result<(), AlreadyTracked> {
        let mut topics = self.topics.write();
        let keys = topics.entry(topic.into()).or_default();
        let metas = keys.entry(key.into()).or_default();
        if metas.iter().any(|(owner, _)| *owner == server) {
            return Err(AlreadyTracked);
        }
        metas.push((server, meta));
        Ok(())
    }

    fn find(&self, topic: &str, key: &str, server: ServerId) -> Option<Meta> {
        let topics = self.topics.read();
        let metas = topics.get(topic)?.get(key)?;
        metas.iter().find(|(owner, _)| *owner == server).map(|(_, meta)| meta.clone())
    }

    fn replace(&self, topic: &str, key: &str, server: ServerId, meta: Meta) -> Option<Meta> {
        let mut topics = self.topics.write();
        let metas = topics.get_mut(topic)?.get_mut(key)?;
        let (_, place) = metas.iter_mut().find(|(owner, _)| *owner == server)?;
        Some(std::mem::replace(place, meta))
    }

    fn remove(&self, topic: &str, key: &str, server: ServerId) -> Option<Meta> {
        let mut topics = self.topics.write();
        let keys = topics.get_mut(topic)?;
        let metas = keys.get_mut(key)?;
        let at = metas.iter().position(|(owner, _)| *owner == server)?;
        let (_, meta) = metas.remove(at);
        if metas.is_empty() {
            keys.remove(key);
        }
        if keys.is_empty() {
            topics.remove(topic);
        }
        Some(meta)
    }

    fn list(&self, topic: &str) -> Vec<Present> {
        let topics = self.topics.read();
        let keys = topics.get(topic).into_iter().flatten();
        keys.map(|(key, metas)| Present {
            key: key.to_string(),
            metas: metas.iter().map(|(_, meta)| meta.clone()).collect(),
        })
        .collect()
    }

    fn count(&self, topic: &str) -> usize {
        self.topics.read().get(topic).map_or(0, BTreeMap::len)
    }
}
