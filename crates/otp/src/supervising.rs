//! The running supervisor: a server whose state is its children.
//!
//! Invariant: children run in the order of their places; whatever ends the supervisor, no child outlives it
//! but one that can't be killed, which is reported.

use std::sync::Arc;
use std::task::Poll;

use tokio::time::Instant;

use crate::addr::{Addr, Reply, ServerRef};
use crate::child::Child;
use crate::counters::Counters;
use crate::exit::Exit;
use crate::intensity::{Intensity, Window};
use crate::process::{Owner, Parent, Process, ServerId};
use crate::server::{Ctx, GenServer};
use crate::spec::{Restart, reap};
use crate::supervisor::{ChildError, ChildInfo, Strategy, Supervisor};

/// What a running supervisor is asked for or told.
pub(crate) enum Request {
    Which(Reply<Vec<ChildInfo>>),
    Start(Arc<str>, Child, Reply<Result<ServerRef, ChildError>>),
    Terminate(Arc<str>, Reply<Result<(), ChildError>>),
    Restart(Arc<str>, Reply<Result<ServerRef, ChildError>>),
    Delete(Arc<str>, Reply<Result<(), ChildError>>),
    /// A child ended.
    Down(u32, ServerId, Exit),
    /// A restart that failed is tried again, after whatever came in between.
    Again(u32),
}

pub(crate) struct Supervising {
    strategy: Strategy,
    intensity: Intensity,
    window: Window,
    /// A child's place is its key; the place of a deleted child stays empty.
    places: Vec<Option<Place>>,
    link: Arc<Link>,
}

struct Place {
    id: Arc<str>,
    child: Child,
    process: Option<Arc<dyn Process>>,
}

/// What children hold of their supervisor.
struct Link {
    addr: Addr<Request>,
    counters: Arc<Counters>,
}

impl Parent for Link {
    fn child_down(self: Arc<Self>, key: u32, id: ServerId, _was_ready: bool, exit: &Exit) {
        self.counters.ended(exit);
        self.addr.core.push_system(Request::Down(key, id, exit.clone()));
    }
}

impl GenServer for Supervising {
    type Args = Supervisor;
    type Msg = Request;

    async fn init(description: Supervisor, ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        let Supervisor { strategy, intensity, children, counters } = description;
        let link = Arc::new(Link { addr: ctx.addr().clone(), counters });
        let window = Window::new(intensity);
        let mut this = Self { strategy, intensity, window, places: Vec::new(), link };
        for (id, child) in children {
            if let Err(error) = this.add(id.clone(), child).await {
                this.stop_children(0..this.places.len()).await;
                return Err(Exit::crash(format_args!("child {id}: {error}")));
            }
        }
        Ok(this)
    }

    async fn handle(&mut self, request: Request, ctx: &mut Ctx<Self>) {
        // Boxed: a supervisor rests most of its life and its steps are large.
        Box::pin(self.act(request, ctx)).await;
    }

    async fn terminate(&mut self, _reason: &Exit, _ctx: &mut Ctx<Self>) {
        self.stop_children(0..self.places.len()).await;
    }
}

impl Supervising {
    async fn act(&mut self, request: Request, ctx: &mut Ctx<Self>) {
        match request {
            Request::Which(reply) => reply.send(self.which()),
            Request::Start(id, child, reply) => {
                let outcome = self.add(id, child).await;
                reply.send(outcome);
            }
            Request::Terminate(id, reply) => {
                let outcome = match self.find(&id) {
                    Ok(key) => self.stop_child(key).await,
                    Err(error) => Err(error),
                };
                reply.send(outcome);
            }
            Request::Restart(id, reply) => {
                let outcome = match self.find(&id) {
                    Ok(key) if self.runs(key) => Err(ChildError::Running),
                    Ok(key) => self.start_child(key).await,
                    Err(error) => Err(error),
                };
                reply.send(outcome);
            }
            Request::Delete(id, reply) => {
                let outcome = match self.find(&id) {
                    Ok(key) if self.runs(key) => Err(ChildError::Running),
                    Ok(key) => {
                        self.places[key] = None;
                        Ok(())
                    }
                    Err(error) => Err(error),
                };
                reply.send(outcome);
            }
            Request::Down(key, id, exit) => self.child_down(key as usize, id, &exit, ctx).await,
            Request::Again(key) => {
                let key = key as usize;
                let waits = self.places.get(key).is_some_and(Option::is_some) && !self.runs(key);
                if waits {
                    self.restart(key, ctx).await;
                }
            }
        }
    }

    fn which(&self) -> Vec<ChildInfo> {
        let children = self.places.iter().flatten().map(|place| ChildInfo {
            id: place.id.clone(),
            server: place.process.clone().map(|process| ServerRef { process }),
            restart: place.child.restart,
        });
        children.collect()
    }

    fn find(&self, id: &str) -> Result<usize, ChildError> {
        let same = |place: &Option<Place>| place.as_ref().is_some_and(|place| *place.id == *id);
        self.places.iter().position(same).ok_or(ChildError::NotFound)
    }

    fn runs(&self, key: usize) -> bool {
        matches!(self.places.get(key), Some(Some(place)) if place.process.is_some())
    }

    async fn add(&mut self, id: Arc<str>, child: Child) -> Result<ServerRef, ChildError> {
        if self.find(&id).is_ok() {
            return Err(ChildError::Present);
        }
        let key = self.places.len();
        self.places.push(Some(Place { id, child, process: None }));
        let started = self.start_child(key).await;
        if started.is_err() && !self.runs(key) {
            self.places.pop();
        }
        started
    }

    async fn start_child(&mut self, key: usize) -> Result<ServerRef, ChildError> {
        let Some(Some(place)) = self.places.get_mut(key) else { return Err(ChildError::NotFound) };
        let owner = Owner { parent: self.link.clone(), key: u32::try_from(key).unwrap_or(u32::MAX) };
        let (process, mut starting) = place.child.start.start(owner).map_err(ChildError::Failed)?;
        place.process = Some(process.clone());
        let own = &self.link.addr.core;
        // A supervisor that is asked to stop does not wait for an `init` that may hang.
        let outcome = std::future::poll_fn(|cx| match own.requested_exit() {
            Some(_) => Poll::Ready(None),
            None => starting.as_mut().poll(cx).map(Some),
        })
        .await;
        match outcome {
            Some(Ok(())) => {
                Counters::add(&self.link.counters.started);
                Ok(ServerRef { process })
            }
            Some(Err(exit)) => {
                place.process = None;
                Err(ChildError::Failed(exit))
            }
            // `terminate` comes next and stops this child with the others.
            None => Err(ChildError::NoSupervisor),
        }
    }

    /// Stops a child by the rules of its spec. It has no process afterwards, whatever happened.
    async fn stop_child(&mut self, key: usize) -> Result<(), ChildError> {
        let Some(Some(place)) = self.places.get_mut(key) else { return Err(ChildError::NotFound) };
        let Some(process) = place.process.clone() else { return Ok(()) };
        // The process stays known while it stops: if we are killed meanwhile, it goes with us.
        let outcome = reap(process, place.child.shutdown).await;
        place.process = None;
        if place.child.restart == Restart::Temporary {
            self.places[key] = None;
        }
        outcome.map(drop).map_err(|_| {
            Counters::add(&self.link.counters.leaked);
            ChildError::Leaked
        })
    }

    /// Stops the children in these places, the last first.
    async fn stop_children(&mut self, places: std::ops::Range<usize>) {
        for key in places.rev() {
            // A leak is reported where it is found; shutdown goes on.
            drop(self.stop_child(key).await);
        }
    }

    async fn child_down(&mut self, key: usize, id: ServerId, exit: &Exit, ctx: &mut Ctx<Self>) {
        let Some(Some(place)) = self.places.get_mut(key) else { return };
        if place.process.as_ref().is_none_or(|process| process.id() != id) {
            // An earlier process of this place, which was stopped on purpose.
            return;
        }
        place.process = None;
        if place.child.restart.applies_to(exit) {
            self.restart(key, ctx).await;
        } else if place.child.restart == Restart::Temporary {
            self.places[key] = None;
        }
    }

    async fn restart(&mut self, key: usize, ctx: &mut Ctx<Self>) {
        if !self.window.admit(Instant::now()) {
            let Intensity { restarts, period } = self.intensity;
            tracing::error!(restarts, ?period, "restart intensity reached; supervisor gives up");
            ctx.stop(Exit::crash(format_args!(
                "restart intensity reached: more than {restarts} in {period:?}"
            )));
            return;
        }
        Counters::add(&self.link.counters.restarts);
        let places = match self.strategy {
            Strategy::OneForOne => key..key + 1,
            Strategy::OneForAll => 0..self.places.len(),
            Strategy::RestForOne => key..self.places.len(),
        };
        self.stop_children(places.clone()).await;
        for key in places {
            if self.places.get(key).is_some_and(Option::is_some) && self.start_child(key).await.is_err() {
                // Tried again as a message of its own, so that a stop can come in between.
                let again = Request::Again(u32::try_from(key).unwrap_or(u32::MAX));
                self.link.addr.core.push_system(again);
                return;
            }
        }
    }
}

impl Drop for Supervising {
    /// Killed, or crashed in its own code: the children go with it.
    fn drop(&mut self) {
        for place in self.places.iter().flatten() {
            if let Some(process) = &place.process {
                process.kill();
            }
        }
    }
}
