//! The cart's server: decide, store, reply.
//!
//! **Invariant.** One command at a time; its reply goes out after its version is durable. A server that goes to
//! sleep has no message waiting.

use std::sync::Arc;

use otp::{Ctx, Exit, GenServer, ServerId};
use pulse_core::cart::{Command, Limits, StoredCart, decide};
use pulse_core::ports::{Notice, SaveError};
use pulse_core::{CartId, CommandId, Version};

use crate::row::Row;
use crate::{CartCounters, CartEnv, CartFailure, Msg, Receipt};

/// How often a command is tried against other owners of the same cart.
const ATTEMPTS: u32 = 4;

/// One cart. Starts with `(id, environment)`, without a look at the store.
#[derive(Debug)]
pub struct CartServer {
    id: CartId,
    server: ServerId,
    row: Row,
    env: Arc<CartEnv>,
}

impl GenServer for CartServer {
    type Args = (CartId, Arc<CartEnv>);
    type Msg = Msg;

    async fn init((id, env): Self::Args, ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        let server = ctx.id();
        ctx.idle_after(env.idle);
        env.roll.awake(id, server);
        Ok(Self { id, server, row: Row::default(), env })
    }

    /// Boxed as a whole: this future lies in the server's task, and a cart that waits for its next message should pay
    /// for one pointer only.
    fn handle(&mut self, msg: Msg, _: &mut Ctx<Self>) -> impl Future<Output = ()> + Send {
        Box::pin(self.serve(msg))
    }

    async fn handle_idle(&mut self, ctx: &mut Ctx<Self>) {
        if ctx.stop_if_empty() {
            CartCounters::count(&self.env.counters.slept);
        }
    }
}

impl CartServer {
    async fn serve(&mut self, msg: Msg) {
        match msg {
            Msg::Command { id, command, limits, reply } => {
                reply.send(self.command(id, command, limits).await);
            }
            Msg::View { reply } => reply.send(self.view().await),
        }
    }

    async fn command(
        &mut self,
        id: Option<CommandId>,
        command: Command,
        limits: Limits,
    ) -> Result<Receipt, CartFailure> {
        for _ in 0..ATTEMPTS {
            let (mut cart, now) = (self.row.current(self.id, &self.env).await?, self.env.clock.now());
            if let Some(version) = id.and_then(|id| cart.recent.find(id)) {
                CartCounters::count(&self.env.counters.repeated);
                return Ok(Receipt { version, cart });
            }
            let events = decide(&cart.cart, &command, now, &limits)
                .inspect_err(|_| CartCounters::count(&self.env.counters.refused))?;
            if events.is_empty() {
                return Ok(Receipt { version: cart.version, cart });
            }
            // With the row's own handle gone, this changes in place unless somebody still looks at a snapshot.
            self.row.forget();
            let next = Arc::make_mut(&mut cart);
            for event in &events {
                next.cart.apply(event);
            }
            let over = next.version;
            next.version = if over == Version::NONE { Version::first(now) } else { over.next() };
            next.cart.lines.shrink_to(room(next.cart.lines.len()));
            if let Some(id) = id {
                next.recent.remember(id, next.version);
            }
            match self.row.save(self.id, over, cart, &self.env).await {
                Ok(cart) => {
                    self.env.bus.tell(Notice::Cart(self.id));
                    return Ok(Receipt { version: cart.version, cart });
                }
                Err(SaveError::Fenced) => {}
                Err(SaveError::Store(error)) => return Err(error.into()),
            }
        }
        Err(CartFailure::Contended)
    }

    async fn view(&mut self) -> Result<Arc<StoredCart>, CartFailure> {
        Ok(self.row.current(self.id, &self.env).await?)
    }
}

/// Lines that a cart has room for. Small carts have exactly their lines: there are many of them, and each stays awake
/// far longer than it grows. Large ones keep the room in which they grow.
const fn room(lines: usize) -> usize {
    if lines <= 16 { lines } else { usize::MAX }
}

impl Drop for CartServer {
    fn drop(&mut self) {
        self.env.roll.ended(self.id, self.server);
    }
}
