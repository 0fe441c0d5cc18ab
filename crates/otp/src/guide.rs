//! OTP's ideas, one by one: the Elixir way and this crate's way side by side.
//!
//! Every Rust example here compiles and runs; later ones use the `Cart` of the first.
//!
//! # A server
//!
//! ```elixir
//! defmodule Cart do
//!   use GenServer
//!   def start_link(items), do: GenServer.start_link(__MODULE__, items)
//!
//!   @impl true
//!   def init(items), do: {:ok, items}
//!
//!   @impl true
//!   def handle_cast({:add, n}, items), do: {:noreply, items + n}
//!
//!   @impl true
//!   def handle_call(:total, _from, items), do: {:reply, items, items}
//! end
//! ```
//!
//! One enum holds all messages; a message that is a call carries a [`Reply`]. State is `self`, so nothing is
//! returned: to end, call [`Ctx::stop`]; to answer later, keep the `Reply`.
//!
//! ```
//! use otp::{Ctx, Exit, GenServer, Reply};
//!
//! struct Cart(u64);
//!
//! enum Msg {
//!     Add(u64),
//!     Total(Reply<u64>),
//! }
//!
//! impl GenServer for Cart {
//!     type Args = u64;
//!     type Msg = Msg;
//!
//!     async fn init(items: u64, _ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
//!         Ok(Self(items))
//!     }
//!
//!     async fn handle(&mut self, msg: Msg, _ctx: &mut Ctx<Self>) {
//!         match msg {
//!             Msg::Add(n) => self.0 += n,
//!             Msg::Total(reply) => reply.send(self.0),
//!         }
//!     }
//! }
//! ```
//!
//! # Call and cast
//!
//! ```elixir
//! GenServer.cast(cart, {:add, 2})
//! GenServer.call(cart, :total)            # exits after 5 s, and when the server is gone
//! GenServer.call(cart, :total, 100)
//! ```
//!
//! A call returns a typed error instead of an exit, and says whether the message was handled:
//!
//! | | handled? | when |
//! |---|---|---|
//! | [`CallError::NoProc`] | no | at once: the server is gone, or went while the message was queued |
//! | [`CallError::Overloaded`] | no | at once: the mailbox is full |
//! | [`CallError::Crashed`] | unknown | at once: the server took the message and ended, or dropped the `Reply` |
//! | [`CallError::Timeout`] | unknown | after the caller's patience |
//!
//! ```
//! # otp::guide_server!();
//! use std::time::Duration;
//! use otp::{CallError, Exit, Spec};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cart = otp::start(Spec::<Cart>::temporary(40).capacity(100)).await?;
//! cart.cast(Msg::Add(2)).await?;                    // waits for room, at most 5 s
//! assert!(cart.try_cast(Msg::Add(0)).is_ok());      // never waits; gives the message back
//! assert_eq!(cart.ask(Msg::Total).await?, 42);      // 5 s
//! assert_eq!(cart.call(Duration::from_millis(100), Msg::Total).await?, 42);
//!
//! cart.stop(Exit::Normal);
//! assert_eq!(cart.ask(Msg::Total).await, Err(CallError::NoProc));
//! # Ok(())
//! # }
//! ```
//!
//! # Ends
//!
//! ```elixir
//! {:stop, :normal, state}                 # from a callback
//! GenServer.stop(cart, :shutdown)         # after the messages before it
//! Process.exit(cart, :kill)               # no terminate
//! def terminate(reason, state), do: ...   # only if the process traps exits
//! ```
//!
//! [`Exit`] has four values. [`Addr::stop`] goes before queued messages, whose callers hear `NoProc` at once.
//! [`GenServer::terminate`] runs on every end but a kill, after a panic too; no flag is needed. A kill acts at the
//! next await point, so a loop that never awaits can't be killed: supervisors report it as leaked and go on.
//!
//! ```
//! # otp::guide_server!();
//! # use otp::{Exit, Spec};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cart = otp::start(Spec::<Cart>::temporary(0)).await?;
//! cart.kill();
//! assert_eq!(cart.exited().await, Exit::Killed);
//! # Ok(())
//! # }
//! ```
//!
//! # Names
//!
//! ```elixir
//! Registry.start_link(keys: :unique, name: Carts)
//! GenServer.start_link(Cart, 0, name: {:via, Registry, {Carts, "ada"}})
//! Registry.lookup(Carts, "ada")
//! ```
//!
//! A [`Registry`] is a value with the key's and the message's type, not a global name. The name is taken before
//! `init` and freed after `terminate`, so two lives of one name never overlap.
//!
//! ```
//! # otp::guide_server!();
//! # use otp::{Exit, Registry, Spec, StartError};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let carts: Registry<String, Msg> = Registry::new();
//! let ada = otp::start(Spec::<Cart>::temporary(0).named(&carts, "ada".to_owned())).await?;
//! assert_eq!(carts.whereis("ada"), Some(ada.clone()));
//!
//! let second = otp::start(Spec::<Cart>::temporary(0).named(&carts, "ada".to_owned())).await;
//! assert!(matches!(second, Err(StartError::AlreadyStarted(first)) if first == ada));
//!
//! ada.stop(Exit::Normal);
//! ada.exited().await;
//! assert_eq!(carts.whereis("ada"), None);
//! # Ok(())
//! # }
//! ```
//!
//! # Supervisors
//!
//! ```elixir
//! children = [
//!   {Stock, []},
//!   Supervisor.child_spec({Prices, []}, restart: :transient, shutdown: 2_000)
//! ]
//! Supervisor.start_link(children, strategy: :rest_for_one, max_restarts: 5, max_seconds: 5)
//! ```
//!
//! A [`Spec`] that can be restarted has a closure for its arguments; one with plain arguments is temporary.
//! Children start in order and stop in reverse. One window counts the restarts of all children; one too many ends the
//! supervisor with [`Exit::Crashed`], and its own supervisor restarts it. (OTP's reason there is `shutdown`; here it is
//! a failure, so that a transient child that is a supervisor comes back.)
//!
//! ```
//! # otp::guide_server!();
//! # type Stock = Cart;
//! # type Prices = Cart;
//! use std::time::Duration;
//! use otp::{Intensity, Registry, Shutdown, Spec, Strategy, Supervisor};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let names = Registry::new();
//! let prices = Spec::<Prices>::transient(|| 0).shutdown(Shutdown::After(Duration::from_secs(2)));
//! let shop = Supervisor::new(Strategy::RestForOne)
//!     .intensity(Intensity { restarts: 5, period: Duration::from_secs(5) })
//!     .child("stock", Spec::<Stock>::permanent(|| 7).named(&names, "stock"))
//!     .child("prices", prices)
//!     .start()
//!     .await
//!     .map_err(|exit| exit.to_string())?;
//!
//! // A permanent child comes back and answers, under its name.
//! let old = names.whereis("stock").ok_or("no stock")?;
//! old.stop(otp::Exit::Normal);
//! old.exited().await;
//! while names.whereis("stock").is_none() {
//!     tokio::task::yield_now().await;
//! }
//! assert_eq!(names.whereis("stock").ok_or("no stock")?.ask(Msg::Total).await?, 7);
//! shop.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Many children of one kind
//!
//! ```elixir
//! DynamicSupervisor.start_link(name: Carts, strategy: :one_for_one, max_children: 100_000)
//! {:ok, cart} = DynamicSupervisor.start_child(Carts, {Cart, 0})
//! DynamicSupervisor.terminate_child(Carts, cart)
//! ```
//!
//! The handle is the name: clone it to where children are started. It is a child of a [`Supervisor`] like any
//! server and stays good over restarts. Starting and stopping one child waits for no other, `init` included.
//! [`PartitionSupervisor`] spreads children over several by key.
//!
//! ```
//! # otp::guide_server!();
//! use otp::{DynamicSupervisor, Intensity, Spec, Strategy, Supervisor};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let carts = DynamicSupervisor::with(100_000, Intensity::default());
//! let shop = Supervisor::new(Strategy::OneForOne).child("carts", carts.clone());
//! let shop = shop.start().await.map_err(|exit| exit.to_string())?;
//!
//! let cart = carts.start_child(Spec::<Cart>::temporary(0)).await?;
//! assert_eq!(carts.count_children(), 1);
//! carts.terminate_child(&cart).await?;
//! assert_eq!(carts.count_children(), 0);
//! shop.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Falling asleep
//!
//! ```elixir
//! def handle_call(:total, _from, items), do: {:reply, items, items, :timer.minutes(10)}
//! def handle_info(:timeout, items), do: {:stop, :normal, items}   # a message may just be arriving
//! ```
//!
//! [`Ctx::idle_after`] calls [`GenServer::handle_idle`] once a period of idleness. [`Ctx::stop_if_empty`] checks the
//! mailbox and closes it in one step, so no message is lost, and [`Registry::call_or_start`] wakes the server again,
//! waiting for the end of its former life if need be.
//!
//! ```
//! use std::time::Duration;
//! use otp::{Ctx, DynamicSupervisor, Exit, GenServer, Registry, Reply, Spec};
//!
//! struct Sleepy;
//! struct Ping(Reply<&'static str>);
//!
//! impl GenServer for Sleepy {
//!     type Args = ();
//!     type Msg = Ping;
//!     async fn init((): (), ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
//!         ctx.idle_after(Duration::from_millis(5));
//!         Ok(Self)
//!     }
//!     async fn handle(&mut self, Ping(reply): Ping, _ctx: &mut Ctx<Self>) {
//!         reply.send("pong");
//!     }
//!     async fn handle_idle(&mut self, ctx: &mut Ctx<Self>) {
//!         ctx.stop_if_empty();
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let names = Registry::new();
//! let servers = DynamicSupervisor::new();
//! servers.start().await.map_err(|exit| exit.to_string())?;
//! let start = || servers.start_child(Spec::<Sleepy>::temporary(()).named(&names, 1));
//! for _ in 0..3 {
//!     assert_eq!(names.call_or_start(&1, Duration::from_secs(5), start, Ping).await?, "pong");
//!     tokio::time::sleep(Duration::from_secs(1)).await;
//!     assert!(names.is_empty(), "asleep");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Monitors
//!
//! ```elixir
//! ref = Process.monitor(cart)
//! def handle_info({:DOWN, ^ref, :process, _pid, reason}, state), do: ...
//! ```
//!
//! A [`Down`] is one of the watcher's own messages; it comes even into a full mailbox, and a monitor on a dead server
//! reports the reason of its end. Code that is no server takes [`Addr::monitor`], [`Addr::exited`] or an [`inbox`].
//!
//! ```
//! # otp::guide_server!();
//! use otp::{Addr, Ctx, Down, Exit, GenServer, Reply, Spec};
//!
//! struct Watcher {
//!     waiting: Option<Reply<Exit>>,
//! }
//!
//! enum Watch {
//!     EndOf(Addr<Msg>, Reply<Exit>),
//!     Down(Down),
//! }
//!
//! impl GenServer for Watcher {
//!     type Args = ();
//!     type Msg = Watch;
//!     async fn init((): (), _ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
//!         Ok(Self { waiting: None })
//!     }
//!     async fn handle(&mut self, msg: Watch, ctx: &mut Ctx<Self>) {
//!         match msg {
//!             Watch::EndOf(cart, reply) => {
//!                 ctx.monitor(&cart, Watch::Down).keep();
//!                 self.waiting = Some(reply);
//!                 cart.kill();
//!             }
//!             Watch::Down(down) => {
//!                 if let Some(reply) = self.waiting.take() {
//!                     reply.send(down.reason);
//!                 }
//!             }
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cart = otp::start(Spec::<Cart>::temporary(0)).await?;
//! let watcher = otp::start(Spec::<Watcher>::temporary(())).await?;
//! assert_eq!(watcher.ask(|reply| Watch::EndOf(cart, reply)).await?, Exit::Killed);
//! # Ok(())
//! # }
//! ```
//!
//! # Timers
//!
//! ```elixir
//! ref = Process.send_after(self(), :flush, 1_000)
//! Process.cancel_timer(ref)
//! :timer.send_interval(1_000, :tick)
//! ```
//!
//! All timers of a partition share one queue and one task. A timer ends with its server; an interval's tick that
//! finds the mailbox full is skipped.
//!
//! ```
//! # use std::time::Duration;
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let (addr, mut inbox) = otp::inbox::<&str>(16);
//! let flush = addr.send_after(Duration::from_secs(1), "flush");
//! let tick = addr.send_interval(Duration::from_secs(2), || "tick");
//! assert_eq!(inbox.recv().await, Some("flush"));
//! assert_eq!(inbox.recv().await, Some("tick"));
//! tick.cancel();
//! assert!(!flush.is_pending() && !tick.is_pending());
//! # }
//! ```
//!
//! # Topics
//!
//! ```elixir
//! Phoenix.PubSub.subscribe(Shop.PubSub, "stock:tea")
//! Phoenix.PubSub.broadcast(Shop.PubSub, "stock:tea", {:stock, 41})
//! ```
//!
//! [`PubSub`] is a value with the topic's and the payload's type. Each subscriber says how the payload becomes its
//! own message and shares one `Arc` of it. A publisher never waits: who has no room misses out and is counted.
//!
//! ```
//! # use std::sync::Arc;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let stock = otp::PubSub::<String, u32>::new();
//! let (page, mut messages) = otp::inbox::<Arc<u32>>(16);
//! stock.subscribe("tea".to_owned(), &page, |left| left);
//! let sent = stock.publish("tea", 41);
//! assert_eq!((sent.delivered, sent.overloaded), (1, 0));
//! assert_eq!(messages.recv().await.as_deref(), Some(&41));
//! # }
//! ```
//!
//! # Looking inside
//!
//! ```elixir
//! Process.info(cart, :message_queue_len)
//! DynamicSupervisor.count_children(Carts)
//! ```
//!
//! [`Addr::info`] has the mailbox's length and the messages handled; [`DynamicSupervisor::stats`] and
//! [`SupervisorRef::stats`] count starts, stops, failures, restarts and leaks; [`pending_timers`] counts timers.
//! `tracing` has a debug span `server_start` around `init` and one `server_stop` around `terminate`, a warning for a
//! crash, an error for a leak and for a supervisor that gives up, and nothing a message.
//!
//! # Traps
//!
//! - Two servers that call each other wait until the timeout, as in OTP.
//! - A `handle` that blocks its thread stalls its neighbours; use `spawn_blocking` and answer later.
//! - `handle`'s future lies in the server's task: box big, rare branches if there are many servers.
//! - A `Crashed` or `Timeout` may have done its work: give commands an id before you repeat them.

#[cfg(doc)]
use crate::{
    Addr, CallError, Ctx, Down, DynamicSupervisor, Exit, GenServer, PartitionSupervisor, PubSub, Registry,
    Reply, Spec, Supervisor, SupervisorRef, inbox, pending_timers,
};

/// The guide's server, so that each example shows only what it is about.
#[doc(hidden)]
#[macro_export]
macro_rules! guide_server {
    () => {
        struct Cart(u64);
        #[allow(dead_code, reason = "an example may need one of them only")]
        enum Msg {
            Add(u64),
            Total(otp::Reply<u64>),
        }
        impl otp::GenServer for Cart {
            type Args = u64;
            type Msg = Msg;
            async fn init(items: u64, _: &mut otp::Ctx<Self>) -> Result<Self, otp::Exit> {
                Ok(Self(items))
            }
            async fn handle(&mut self, msg: Msg, _: &mut otp::Ctx<Self>) {
                match msg {
                    Msg::Add(n) => self.0 += n,
                    Msg::Total(reply) => reply.send(self.0),
                }
            }
        }
    };
}
