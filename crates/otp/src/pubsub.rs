//! Topics and those who listen to them.
//!
//! Invariant: a publisher never waits; a subscriber that is dead is in no topic; a topic without subscribers
//! takes no memory.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::RwLock;

use crate::addr::Addr;
use crate::error::TryCastError;
use crate::process::{Process, ServerId, WatchId};

/// Topics of type `T` with payloads of type `P`. Cheap to clone; clones are the same instance.
///
/// Every subscriber gets the same `Arc` of the payload, wrapped into its own message type:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::sync::Arc;
/// enum Page { Stock(Arc<u32>) }
///
/// let stock: otp::PubSub<&str, u32> = otp::PubSub::new();
/// let (page, mut messages) = otp::inbox::<Page>(16);
/// stock.subscribe("teapot", &page, Page::Stock);
/// assert_eq!(stock.publish("teapot", 41).delivered, 1);
/// let Some(Page::Stock(left)) = messages.recv().await else { panic!() };
/// assert_eq!(*left, 41);
/// drop(messages);
/// assert_eq!(stock.topic_count(), 0);
/// # }
/// ```
pub struct PubSub<T, P> {
    inner: Arc<Inner<T, P>>,
}

impl<T, P> Clone for PubSub<T, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

/// What became of a published payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Subscribers that have it in their mailbox.
    pub delivered: usize,
    /// Subscribers whose mailbox was full: they missed it.
    pub overloaded: usize,
}

struct Inner<T, P> {
    topics: RwLock<HashMap<T, Topic<P>>>,
    overloaded: AtomicU64,
}

/// Copied only if somebody subscribes while somebody publishes.
type Topic<P> = Arc<HashMap<ServerId, Subscriber<P>>>;

struct Subscriber<P> {
    watch: WatchId,
    deliver: Arc<dyn Fn(Arc<P>) -> Delivery + Send + Sync>,
    forget: Arc<dyn Process>,
}

impl<P> Clone for Subscriber<P> {
    fn clone(&self) -> Self {
        Self { watch: self.watch, deliver: self.deliver.clone(), forget: self.forget.clone() }
    }
}

enum Delivery {
    Done,
    Overloaded,
    Gone,
}

impl<T, P> Default for PubSub<T, P>
where
    T: Clone + Eq + Hash + Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<T, P> PubSub<T, P>
where
    T: Clone + Eq + Hash + Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    /// Without topics.
    pub fn new() -> Self {
        Self { inner: Arc::new(Inner { topics: RwLock::default(), overloaded: AtomicU64::new(0) }) }
    }

    /// Subscribes a server to a topic until it ends; subscribing again replaces how payloads are wrapped.
    /// O(1), and O(subscribers) if a publish to the topic is going on.
    pub fn subscribe<M: Send + 'static>(
        &self,
        topic: T,
        subscriber: &Addr<M>,
        wrap: impl Fn(Arc<P>) -> M + Send + Sync + 'static,
    ) {
        let to = subscriber.clone();
        let deliver = move |payload| match to.try_cast(wrap(payload)) {
            Ok(()) => Delivery::Done,
            Err(TryCastError::Full(_)) => Delivery::Overloaded,
            Err(TryCastError::NoProc(_)) => Delivery::Gone,
        };
        let id = subscriber.id();
        let watch = WatchId::next();
        let entry = Subscriber { watch, deliver: Arc::new(deliver), forget: subscriber.core.clone() };
        let replaced = {
            let mut topics = self.inner.topics.write();
            Arc::make_mut(topics.entry(topic.clone()).or_default()).insert(id, entry)
        };
        if let Some(old) = replaced {
            old.forget.unwatch(old.watch);
        }
        let inner: Weak<Inner<T, P>> = Arc::downgrade(&self.inner);
        let clean = move || {
            if let Some(inner) = inner.upgrade() {
                drop(inner.remove(&topic, id));
            }
        };
        subscriber.core.watch(watch, Box::new(move |_| clean()));
    }

    /// Ends a subscription. False if there was none. O(1) as [`subscribe`](Self::subscribe).
    pub fn unsubscribe<Q, M>(&self, topic: &Q, subscriber: &Addr<M>) -> bool
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        M: Send + 'static,
    {
        match self.inner.remove(topic, subscriber.id()) {
            Some(entry) => {
                entry.forget.unwatch(entry.watch);
                true
            }
            None => false,
        }
    }

    /// Puts the payload into the mailbox of each subscriber that has room. O(subscribers), takes no lock
    /// while it delivers.
    pub fn publish<Q>(&self, topic: &Q, payload: impl Into<Arc<P>>) -> Published
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let subscribers = self.inner.topics.read().get(topic).cloned();
        let mut result = Published::default();
        let Some(subscribers) = subscribers else { return result };
        let payload = payload.into();
        for subscriber in subscribers.values() {
            match (subscriber.deliver)(payload.clone()) {
                Delivery::Done => result.delivered += 1,
                Delivery::Overloaded => result.overloaded += 1,
                Delivery::Gone => {}
            }
        }
        if result.overloaded > 0 {
            self.inner.overloaded.fetch_add(result.overloaded as u64, Ordering::Relaxed);
        }
        result
    }

    /// How many servers listen to a topic.
    pub fn subscriber_count<Q>(&self, topic: &Q) -> usize
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.inner.topics.read().get(topic).map_or(0, |subscribers| subscribers.len())
    }

    /// How many topics have a subscriber.
    pub fn topic_count(&self) -> usize {
        self.inner.topics.read().len()
    }

    /// Payloads that did not reach a subscriber because its mailbox was full, since the beginning.
    pub fn overloaded_count(&self) -> u64 {
        self.inner.overloaded.load(Ordering::Relaxed)
    }
}

impl<T: Eq + Hash, P> Inner<T, P> {
    fn remove<Q>(&self, topic: &Q, id: ServerId) -> Option<Subscriber<P>>
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut topics = self.topics.write();
        let subscribers = Arc::make_mut(topics.get_mut(topic)?);
        let gone = subscribers.remove(&id);
        let empty = subscribers.is_empty();
        let old = if empty { topics.remove(topic) } else { None };
        drop(topics);
        drop(old);
        gone
    }
}

impl<T, P> fmt::Debug for PubSub<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PubSub")
    }
}
