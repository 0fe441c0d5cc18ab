//! What a view's handlers see: the page, the scope, and the server that the view runs in.
//!
//! Invariant: what is begun here (tasks, timers, subscriptions) ends with the view, and nothing is begun in a dead
//! render.

use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use otp::{Addr, PubSub, TryCastError};

use crate::channel::{LiveChannel, Wake};
use crate::page::Page;
use crate::task::{TaskCrashed, Tasks};
use crate::view::LiveView;

pub(crate) type Mailbox = Addr<channels::Msg<LiveChannel>>;

/// A view's own side of the page; dereferences to [`Page`], which has the commands for the browser.
pub struct Ctx<'a, V: LiveView> {
    pub(crate) page: &'a mut Page,
    pub(crate) scope: &'a V::Scope,
    pub(crate) mailbox: Option<&'a Mailbox>,
    pub(crate) tasks: &'a mut Tasks,
}

impl<V: LiveView> Ctx<'_, V> {
    /// What the live session gives its views.
    pub fn scope(&self) -> &V::Scope {
        self.scope
    }

    /// Where to send this view messages; `None` in a dead render.
    pub fn addr(&self) -> Option<ViewAddr<V::Info>> {
        self.mailbox.map(|mailbox| ViewAddr { mailbox: mailbox.clone(), info: PhantomData })
    }

    /// Gets the payloads of a topic as messages until the view ends. Nothing in a dead render.
    pub fn subscribe<T, P>(
        &self,
        pubsub: &PubSub<T, P>,
        topic: T,
        wrap: impl Fn(Arc<P>) -> V::Info + Send + Sync + 'static,
    ) where
        T: Clone + Eq + Hash + Send + Sync + 'static,
        P: Send + Sync + 'static,
    {
        if let Some(mailbox) = self.mailbox {
            pubsub.subscribe(topic, mailbox, move |payload| Wake::info(wrap(payload)));
        }
    }

    /// Ends a subscription.
    pub fn unsubscribe<T, P>(&self, pubsub: &PubSub<T, P>, topic: &T) -> bool
    where
        T: Clone + Eq + Hash + Send + Sync + 'static,
        P: Send + Sync + 'static,
    {
        self.mailbox.is_some_and(|mailbox| pubsub.unsubscribe(topic, mailbox))
    }

    /// Sends this view a message after a delay. Nothing in a dead render.
    pub fn send_after(&self, delay: Duration, info: V::Info) -> Option<otp::TimerRef> {
        self.mailbox.map(|mailbox| mailbox.send_after(delay, Wake::info(info)))
    }

    /// Sends this view a message every period. A tick that finds the mailbox full is skipped. Nothing in a dead render.
    pub fn send_interval(
        &self,
        period: Duration,
        mut info: impl FnMut() -> V::Info + Send + 'static,
    ) -> Option<otp::TimerRef> {
        self.mailbox.map(|mailbox| mailbox.send_interval(period, move || Wake::info(info())))
    }

    /// Runs a task beside the view; its result comes as a message, and so does its crash. A task of the same name is
    /// cancelled, as all are when the view ends. Nothing in a dead render. Of more than
    /// [`MAX_TASKS`](crate::MAX_TASKS) at once, the further ones are refused: their message is a crash.
    pub fn start_async<T: Send + 'static>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = T> + Send + 'static,
        wrap: impl FnOnce(Result<T, TaskCrashed>) -> V::Info + Send + 'static,
    ) {
        if let Some(mailbox) = self.mailbox {
            self.tasks.start(name, task, wrap, mailbox, &self.page.live);
        }
    }

    /// Cancels a task; no message comes of it. False if none of this name runs.
    pub fn cancel_async(&mut self, name: &str) -> bool {
        self.tasks.cancel(name)
    }
}

impl<V: LiveView> Deref for Ctx<'_, V> {
    type Target = Page;

    fn deref(&self) -> &Page {
        self.page
    }
}

impl<V: LiveView> DerefMut for Ctx<'_, V> {
    fn deref_mut(&mut self) -> &mut Page {
        self.page
    }
}

impl<V: LiveView> std::fmt::Debug for Ctx<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ctx").field(&self.page).finish()
    }
}

/// Where to send a view messages of its own type.
pub struct ViewAddr<I> {
    mailbox: Mailbox,
    info: PhantomData<fn(I)>,
}

/// Why a message did not reach a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The page is closed.
    #[error("the view is gone")]
    Gone,
    /// Too many messages wait already.
    #[error("the view's mailbox is full")]
    Overloaded,
}

impl<I: Send + 'static> ViewAddr<I> {
    /// Queues a message. Never waits.
    pub fn send(&self, info: I) -> Result<(), SendError> {
        self.mailbox.try_cast(Wake::info(info)).map_err(|error| match error {
            TryCastError::Full(_) => SendError::Overloaded,
            TryCastError::NoProc(_) => SendError::Gone,
        })
    }

    /// The view's server, to be watched.
    pub fn server(&self) -> otp::ServerRef {
        self.mailbox.server_ref()
    }
}

impl<I> Clone for ViewAddr<I> {
    fn clone(&self) -> Self {
        Self { mailbox: self.mailbox.clone(), info: PhantomData }
    }
}

impl<I> std::fmt::Debug for ViewAddr<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ViewAddr")
    }
}
