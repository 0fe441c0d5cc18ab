//! The server that most tests run.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use otp::{Ctx, Exit, GenServer, Reply};
use tokio::sync::Notify;

/// What the tests watch from outside.
#[derive(Clone, Default)]
pub(crate) struct Probe {
    pub(crate) inits: Arc<AtomicUsize>,
    pub(crate) terminated: Arc<AtomicUsize>,
    pub(crate) order: Arc<std::sync::Mutex<Vec<String>>>,
    pub(crate) gate: Arc<Notify>,
}

impl Probe {
    pub(crate) fn inits(&self) -> usize {
        self.inits.load(Ordering::SeqCst)
    }

    pub(crate) fn terminated(&self) -> usize {
        self.terminated.load(Ordering::SeqCst)
    }

    pub(crate) fn log(&self, line: impl Into<String>) {
        self.order.lock().unwrap().push(line.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.order.lock().unwrap().clone()
    }
}

#[derive(Clone, Default)]
pub(crate) struct Args {
    pub(crate) name: String,
    pub(crate) probe: Probe,
    pub(crate) idle: Option<Duration>,
    pub(crate) init: Init,
    pub(crate) terminate: Terminate,
    /// Does not stop when it is idle.
    pub(crate) stays: bool,
}

impl Args {
    pub(crate) fn named(name: &str, probe: &Probe) -> Self {
        Self { name: name.to_owned(), probe: probe.clone(), ..Self::default() }
    }
}

#[derive(Clone, Default)]
pub(crate) enum Init {
    #[default]
    Good,
    Fails,
    Panics,
    Hangs,
    WaitsForGate,
    /// Good the first time only.
    GoodOnce,
}

#[derive(Clone, Default)]
pub(crate) enum Terminate {
    #[default]
    Good,
    Panics,
    Hangs,
    WaitsForGate,
}

pub(crate) struct Cart {
    args: Args,
    items: HashMap<u32, u64>,
    kept: Vec<Reply<u64>>,
}

#[derive(Debug)]
pub(crate) enum Msg {
    Add(u32),
    Total(Reply<u64>),
    Keep(Reply<u64>),
    Crash,
    CrashIn(Reply<u64>),
    /// Waits for the probe's gate.
    Block,
    /// Awaits for ever.
    Hang,
    /// Sends itself the next one, so many times.
    Again(u64),
    /// Adds up every `Add` that waits behind it.
    AddUp,
    /// The same after a stop.
    StopAndAddUp,
    /// Never awaits, until the gate file says so.
    Spin(Arc<std::sync::atomic::AtomicBool>),
    Stop(Exit),
    StopIfEmpty(Reply<bool>),
}

impl GenServer for Cart {
    type Args = Args;
    type Msg = Msg;

    async fn init(args: Args, ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        let earlier = args.probe.inits.fetch_add(1, Ordering::SeqCst);
        args.probe.log(format!("init {}", args.name));
        match args.init {
            Init::Good => {}
            Init::Fails => return Err(Exit::crash("no such cart")),
            Init::Panics => panic!("init panics"),
            Init::Hangs => std::future::pending().await,
            Init::WaitsForGate => args.probe.gate.notified().await,
            Init::GoodOnce if earlier == 0 => {}
            Init::GoodOnce => return Err(Exit::crash("only once")),
        }
        if let Some(idle) = args.idle {
            ctx.idle_after(idle);
        }
        Ok(Self { args, items: HashMap::new(), kept: Vec::new() })
    }

    async fn handle(&mut self, msg: Msg, ctx: &mut Ctx<Self>) {
        match msg {
            Msg::Add(sku) => *self.items.entry(sku).or_default() += 1,
            Msg::Total(reply) => reply.send(self.items.values().sum()),
            Msg::Keep(reply) => self.kept.push(reply),
            Msg::Crash => panic!("cart crashed"),
            Msg::CrashIn(_reply) => panic!("cart crashed in a call"),
            Msg::Block => self.args.probe.gate.notified().await,
            Msg::Hang => std::future::pending().await,
            Msg::Again(0) => {}
            Msg::AddUp | Msg::StopAndAddUp => {
                if matches!(msg, Msg::StopAndAddUp) {
                    ctx.stop(Exit::Normal);
                }
                let mut taken = 0;
                while let Some(Msg::Add(sku)) = ctx.next_if(|next| matches!(next, Msg::Add(_))) {
                    taken += 1;
                    *self.items.entry(sku).or_default() += 1;
                }
                self.args.probe.log(format!("{taken} at once"));
            }
            Msg::Again(left) => ctx.addr().try_cast(Msg::Again(left - 1)).unwrap(),
            Msg::Spin(on) => {
                while on.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
            }
            Msg::Stop(exit) => ctx.stop(exit),
            Msg::StopIfEmpty(reply) => {
                let stops = ctx.stop_if_empty();
                assert_eq!(stops, !ctx.addr().is_running(), "closed in the same step");
                reply.send(stops);
            }
        }
    }

    async fn handle_idle(&mut self, ctx: &mut Ctx<Self>) {
        self.args.probe.log(format!("idle {}", self.args.name));
        if !self.args.stays {
            ctx.stop_if_empty();
        }
    }

    async fn terminate(&mut self, reason: &Exit, _ctx: &mut Ctx<Self>) {
        match self.args.terminate {
            Terminate::Good => {}
            Terminate::Panics => panic!("terminate panics"),
            Terminate::Hangs => std::future::pending().await,
            Terminate::WaitsForGate => self.args.probe.gate.notified().await,
        }
        self.args.probe.terminated.fetch_add(1, Ordering::SeqCst);
        self.args.probe.log(format!("terminate {} {reason}", self.args.name));
    }
}

/// Lets every task that can run do so; virtual time stands still.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Makes a cart spin without ever awaiting, and returns once it does.
pub(crate) async fn spin(cart: &otp::Addr<Msg>, on: &Arc<std::sync::atomic::AtomicBool>) {
    cart.cast(Msg::Spin(on.clone())).await.unwrap();
    while cart.info().handled == 0 {
        tokio::task::yield_now().await;
    }
}
