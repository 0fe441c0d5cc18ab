//! A session whose key can keep the registry's lock for as long as a test wants: names can be read meanwhile, and none be freed.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Barrier};

use labs_session_workers::{OpenError, Reply, Session};
use tokio::sync::Notify;

/// A key, and whether its session opens.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) opens: bool,
    hold: Option<Arc<Barrier>>,
}

impl Key {
    pub(crate) fn new(opens: bool) -> Self {
        Self { opens, hold: None }
    }

    /// The same key, for one lookup: it stays inside from the first to the second meeting at the barrier.
    pub(crate) fn held(&self, hold: &Arc<Barrier>) -> Self {
        Self { hold: Some(hold.clone()), ..self.clone() }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.opens == other.opens
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(hold) = &self.hold {
            hold.wait();
            hold.wait();
        }
        self.opens.hash(state);
    }
}

/// A session that answers, once the world has let it open.
pub(crate) struct Hall;

impl Session for Hall {
    type Key = Key;
    type Message = Reply<()>;
    type World = Notify;

    async fn open(key: &Key, world: &Arc<Notify>) -> Result<Self, OpenError> {
        world.notified().await;
        if key.opens { Ok(Self) } else { Err(OpenError("no light".into())) }
    }

    async fn handle(&mut self, message: Reply<()>) {
        message.send(());
    }
}
