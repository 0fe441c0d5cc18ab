//! Where sockets are mounted, counted and closed.
//!
//! Invariant: after [`drain`](Endpoint::drain) no socket is open and no channel runs, or the deadline has passed and the
//! caller knows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp::{DynamicSupervisor, Exit, Intensity, PubSub, Registry, ServerId};
use tokio_util::task::TaskTracker;

use crate::broadcast::Broadcaster;
use crate::channel::Channel;
use crate::limits::Limits;
use crate::origin::Origins;
use crate::outbox::Out;
use crate::router::Router;
use crate::socket::Socket;
use crate::stats::{Counters, Stats};
use crate::upgrade;

/// What sockets and channels of an endpoint share, whatever their types.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) broadcaster: Broadcaster,
    /// Every channel's server.
    pub(crate) channels: DynamicSupervisor,
    /// Every open socket, so that a drain finds it.
    pub(crate) sockets: Registry<ServerId, Out>,
    /// The sockets with a name, by it.
    pub(crate) named: PubSub<Arc<str>, Disconnect>,
    /// The sockets' tasks: axum does not wait for upgraded connections.
    pub(crate) tasks: TaskTracker,
    pub(crate) draining: AtomicBool,
}

/// Tells sockets to close.
#[derive(Debug)]
pub(crate) struct Disconnect;

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

/// What is kept per kind of socket.
pub(crate) struct Service<S: Socket> {
    pub(crate) socket: S,
    pub(crate) router: Router<S::Assigns>,
    pub(crate) origins: Origins,
    pub(crate) shared: Arc<Shared>,
}

/// A kind of socket with its channels, before it is started.
pub struct Builder<S: Socket> {
    socket: S,
    router: Router<S::Assigns>,
    origins: Origins,
    limits: Limits,
    broadcaster: Broadcaster,
}

impl<S: Socket> Builder<S> {
    /// Mounts a kind of channel: `room:*` takes all topics that begin with `room:`, any other pattern is exact. The first
    /// match wins.
    pub fn channel<C: Channel<Assigns = S::Assigns>>(
        mut self,
        pattern: &str,
        context: impl Into<Arc<C::Context>>,
    ) -> Self {
        self.router.mount::<C>(pattern, context.into());
        self
    }

    /// Which pages may open a socket; those of the same host, unless said otherwise.
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Other bounds than the default ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Shares topics with another endpoint, or with whoever broadcasts.
    pub fn broadcaster(mut self, broadcaster: Broadcaster) -> Self {
        self.broadcaster = broadcaster;
        self
    }

    /// Starts the supervisor of the channels.
    pub async fn start(self) -> Result<Endpoint<S>, Exit> {
        let Self { socket, router, origins, limits, broadcaster } = self;
        let channels = DynamicSupervisor::with(usize::MAX, Intensity::default());
        channels.start().await?;
        let shared = Arc::new(Shared {
            limits,
            counters: Counters::default(),
            broadcaster,
            channels,
            sockets: Registry::new(),
            named: PubSub::new(),
            tasks: TaskTracker::new(),
            draining: AtomicBool::new(false),
        });
        Ok(Endpoint { service: Arc::new(Service { socket, router, origins, shared }) })
    }
}

/// A running kind of socket. Cheap to clone; clones are the same endpoint.
///
/// ```
/// # use channels::{Channel, Connect, Ctx, Endpoint, Join, JoinRefused, Joined, Refused, Socket};
/// # struct UserSocket;
/// # impl Socket for UserSocket {
/// #     type Assigns = ();
/// #     async fn connect(&self, _: Connect) -> Result<(), Refused> { Ok(()) }
/// # }
/// # struct Room;
/// # impl Channel for Room {
/// #     type Assigns = ();
/// #     type Context = ();
/// #     type Info = ();
/// #     async fn join(_: Join, _: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> { Ok(Joined::new(Room)) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otp::Exit> {
/// let endpoint = Endpoint::builder(UserSocket).channel::<Room>("room:*", ()).start().await?;
/// let app: axum::Router = axum::Router::new().merge(endpoint.routes("/socket"));
/// // When the server has stopped accepting:
/// assert!(endpoint.drain(std::time::Duration::from_secs(10)).await);
/// # Ok(())
/// # }
/// ```
pub struct Endpoint<S: Socket> {
    service: Arc<Service<S>>,
}

impl<S: Socket> Clone for Endpoint<S> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone() }
    }
}

impl<S: Socket> Endpoint<S> {
    /// Begins with a socket and no channels.
    pub fn builder(socket: S) -> Builder<S> {
        Builder {
            socket,
            router: Router::new(),
            origins: Origins::SameHost,
            limits: Limits::default(),
            broadcaster: Broadcaster::new(),
        }
    }

    /// The route `PATH/websocket`, for the client's `new Socket("PATH")`.
    pub fn routes<T: Clone + Send + Sync + 'static>(&self, path: &str) -> axum::Router<T> {
        upgrade::routes(self.service.clone(), path)
    }

    /// Sends to topics of this endpoint.
    pub fn broadcaster(&self) -> &Broadcaster {
        &self.service.shared.broadcaster
    }

    /// Closes all sockets with this [`id`](Socket::id), with 1001; how many there are. Their clients connect again, and
    /// `connect` decides anew.
    pub fn disconnect(&self, id: &str) -> usize {
        let named = &self.service.shared.named;
        // Those that are stopped take no message any more: counted before.
        let open = named.subscriber_count(id);
        named.publish(id, Disconnect);
        open
    }

    /// What the endpoint has done so far.
    pub fn stats(&self) -> Stats {
        let shared = &self.service.shared;
        shared.counters.read(shared.tasks.len(), shared.channels.count_children())
    }

    /// Takes no more sockets, closes the open ones with 1001 and waits for them and their channels, at most so long. Whether
    /// all are gone.
    pub async fn drain(&self, patience: Duration) -> bool {
        let shared = &self.service.shared;
        shared.draining.store(true, Ordering::SeqCst);
        shared.tasks.close();
        for (_, socket) in shared.sockets.entries() {
            socket.stop(Exit::Shutdown);
        }
        let all = async {
            shared.tasks.wait().await;
            shared.channels.stop().await;
        };
        tokio::time::timeout(patience, all).await.is_ok()
    }
}

impl<S: Socket> fmt::Debug for Endpoint<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("stats", &self.stats()).finish()
    }
}

impl<S: Socket> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("origins", &self.origins)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
