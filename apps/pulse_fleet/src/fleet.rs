//! All carts of this node: started on first use, restarted after a crash, bounded.
//!
//! **Invariant.** At most one server of a cart runs on this node, at most `max_awake` carts are awake and at most
//! `max_in_flight` calls are under way. A call that was certainly not handled (its cart was asleep, ending or killed
//! before it looked) is sent again; one whose outcome is unknown never is.
//!
//! Carts are temporary children: the supervisor forgets one that ended, the next use starts it from the store. So
//! the fleet stays up however many carts are killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp::{
    Addr, CallError, DynamicSupervisor, EnsureError, Exit, Intensity, Registry, Reply, ServerRef, Shutdown,
    Spec, StartError,
};
use pulse_cart::{CartCounters, CartEnv, CartFailure, CartServer, Msg, Receipt};
use pulse_core::cart::{Command, Limits, StoredCart};
use pulse_core::ports::{Bus, CartStore, Clock, Notice, OrderDesk};
use pulse_core::{CartId, CommandId};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::awake::{Awake, Hold};
use crate::backoff::Backoff;
use crate::stats::Counters;
use crate::{FleetError, FleetOptions, FleetStats};

/// How long a cart that is told to stop may take for the command in its hands.
const LAST_COMMAND: Duration = Duration::from_secs(10);

/// What the fleet needs of the outside.
#[derive(Clone)]
pub struct FleetPorts {
    /// Where carts are kept.
    pub store: Arc<dyn CartStore>,
    /// Asked about the checkout of a frozen cart.
    pub orders: Arc<dyn OrderDesk>,
    /// For the lease of a freeze.
    pub clock: Arc<dyn Clock>,
    /// Told of every cart that was stored.
    pub bus: Arc<dyn Bus>,
}

impl std::fmt::Debug for FleetPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FleetPorts")
    }
}

/// The carts of this node. Cheap to clone; clones are the same fleet.
#[derive(Debug, Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: FleetOptions,
    env: Arc<CartEnv>,
    names: Registry<CartId, Msg>,
    carts: DynamicSupervisor,
    /// The supervisor's own server; told to stop when the last handle of the fleet is dropped.
    supervisor: ServerRef,
    awake: Arc<Awake>,
    backoff: Backoff,
    /// One permit a call under way.
    calls: Semaphore,
    max_calls: u32,
    draining: AtomicBool,
    counters: Counters,
}

impl Fleet {
    /// Starts a fleet in which no cart is awake.
    pub async fn start(ports: FleetPorts, options: FleetOptions) -> Result<Self, Exit> {
        let awake = Arc::new(Awake::new(options.max_awake));
        let env = Arc::new(CartEnv {
            store: ports.store,
            orders: ports.orders,
            clock: ports.clock,
            bus: ports.bus,
            idle: options.idle,
            roll: awake.clone(),
            counters: CartCounters::default(),
        });
        let carts = DynamicSupervisor::with(usize::MAX, Intensity::default());
        let supervisor = carts.start().await?;
        let max_calls = u32::try_from(options.max_in_flight.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let inner = Inner {
            options,
            env,
            names: Registry::new(),
            carts,
            supervisor,
            awake,
            backoff: Backoff::default(),
            calls: Semaphore::new(max_calls as usize),
            max_calls,
            draining: AtomicBool::new(false),
            counters: Counters::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Has a cart do something. `Ok` means durable. With an id, repeating it is safe after any error, as long as no
    /// more than [`Recent::KEPT`](pulse_core::cart::Recent::KEPT) other commands of this cart came between.
    pub async fn command(
        &self,
        cart: CartId,
        id: Option<CommandId>,
        command: Command,
        limits: Limits,
    ) -> Result<Receipt, FleetError> {
        let message = |reply| Msg::Command { id, command: command.clone(), limits, reply };
        self.inner.call(cart, message).await
    }

    /// The cart as it is stored.
    pub async fn view(&self, cart: CartId) -> Result<Arc<StoredCart>, FleetError> {
        self.inner.call(cart, |reply| Msg::View { reply }).await
    }

    /// Tells that a checkout has emptied this cart's row.
    pub(crate) fn tell_emptied(&self, cart: CartId) {
        self.inner.env.bus.tell(Notice::Cart(cart));
    }

    /// Whether a cart is awake on this node.
    pub fn is_awake(&self, cart: CartId) -> bool {
        self.inner.names.whereis(&cart).is_some()
    }

    /// Kills a cart as a crash would, for drills and tests. Says whether it was awake.
    pub fn kill(&self, cart: CartId) -> bool {
        let found = self.inner.names.whereis(&cart);
        found.is_some_and(|cart| {
            cart.kill();
            true
        })
    }

    /// Puts a cart to sleep now. Says whether it was awake. The next use wakes it.
    pub async fn put_to_sleep(&self, cart: CartId) -> bool {
        self.inner.put_to_sleep(cart).await
    }

    /// What the fleet is doing and has done.
    pub fn stats(&self) -> FleetStats {
        let inner = &*self.inner;
        FleetStats {
            awake: inner.awake.len(),
            in_flight: inner.max_calls as usize - inner.calls.available_permits(),
            backing_off: inner.backoff.len(),
            started: inner.carts.stats().started,
            evicted: Counters::get(&inner.counters.evicted),
            crashed: Counters::get(&inner.counters.crashed),
            overloaded: Counters::get(&inner.counters.overloaded),
            carts: inner.env.counters.stats(),
        }
    }

    /// Takes no more calls, waits for those under way (at most so long), and puts all carts to sleep; one that is
    /// still busy then has ten seconds before it is killed. Says whether every call had its answer in time.
    pub async fn shutdown(&self, patience: Duration) -> bool {
        let inner = &*self.inner;
        inner.draining.store(true, Ordering::Release);
        let drained = tokio::time::timeout(patience, inner.calls.acquire_many(inner.max_calls)).await;
        inner.carts.stop().await;
        drained.is_ok()
    }
}

impl Inner {
    async fn call<T>(
        &self,
        cart: CartId,
        message: impl Fn(Reply<Result<T, CartFailure>>) -> Msg,
    ) -> Result<T, FleetError> {
        let _permit = self.permit()?;
        if let Some(retry_after) = self.backoff.wait(cart) {
            return Err(self.overloaded(retry_after));
        }
        let _hold = self.hold(cart).await?;
        let start = || self.start_cart(cart);
        match self.names.call_or_start(&cart, self.options.patience, start, message).await {
            Ok(answer) => {
                self.backoff.answered(cart);
                answer.map_err(|failure| self.failed(failure))
            }
            Err(EnsureError::Call(error @ (CallError::Crashed | CallError::Timeout))) => {
                Counters::count(&self.counters.crashed);
                // A cart that is slow has a slow store; to leave it alone would only make it two troubles.
                if error == CallError::Crashed {
                    self.backoff.crashed(cart);
                }
                Err(FleetError::Crashed)
            }
            Err(EnsureError::Start(StartError::Failed(_) | StartError::Timeout)) => {
                // Nothing was sent, but a cart that can't even start is to be left alone too.
                self.backoff.crashed(cart);
                Err(self.overloaded(self.options.retry_after))
            }
            Err(EnsureError::Call(CallError::NoProc | CallError::Overloaded) | EnsureError::Start(_)) => {
                Err(self.overloaded(self.options.retry_after))
            }
        }
    }

    fn permit(&self) -> Result<SemaphorePermit<'_>, FleetError> {
        let permit = self.calls.try_acquire().ok().filter(|_| !self.draining.load(Ordering::Acquire));
        permit.ok_or_else(|| self.overloaded(self.options.retry_after))
    }

    /// A place for the cart among those awake; the idlest one goes to sleep for it if there is none.
    async fn hold(&self, cart: CartId) -> Result<Hold, FleetError> {
        loop {
            if let Ok(hold) = self.awake.hold(cart) {
                return Ok(hold);
            }
            let Some(idlest) = self.awake.hold_idlest() else {
                return Err(self.overloaded(self.options.retry_after));
            };
            if self.put_to_sleep(idlest.cart).await {
                Counters::count(&self.counters.evicted);
            }
        }
    }

    async fn start_cart(&self, cart: CartId) -> Result<Addr<Msg>, StartError<Msg>> {
        let spec = Spec::<CartServer>::temporary((cart, self.env.clone()))
            .named(&self.names, cart)
            .capacity(self.options.mailbox)
            .shutdown(Shutdown::After(LAST_COMMAND));
        self.carts.start_child(spec).await
    }

    async fn put_to_sleep(&self, cart: CartId) -> bool {
        match self.names.whereis(&cart) {
            Some(addr) => self.carts.terminate_child(&addr).await.is_ok(),
            None => false,
        }
    }

    fn failed(&self, failure: CartFailure) -> FleetError {
        if failure == CartFailure::Contended {
            Counters::count(&self.counters.overloaded);
        }
        FleetError::of(failure, self.options.retry_after)
    }

    fn overloaded(&self, retry_after: Duration) -> FleetError {
        Counters::count(&self.counters.overloaded);
        FleetError::Overloaded { retry_after }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.supervisor.stop(Exit::Shutdown);
    }
}
