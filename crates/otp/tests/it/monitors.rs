//! Monitors: each end is heard once, by those who asked and still live.

use std::sync::Arc;

use otp::{Addr, Ctx, Down, Exit, GenServer, Reply, Spec};
use tokio::sync::Notify;

use crate::cart::{Args, Cart, Msg, settle};

/// Watches carts.
struct Watcher {
    downs: Vec<Down>,
    monitors: Vec<otp::Monitor>,
}

enum Watch {
    Begin(Addr<Msg>),
    End,
    Block(Arc<Notify>),
    Down(Down),
    Downs(Reply<Vec<Down>>),
}

impl GenServer for Watcher {
    type Args = ();
    type Msg = Watch;

    async fn init((): (), _ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        Ok(Self { downs: Vec::new(), monitors: Vec::new() })
    }

    async fn handle(&mut self, msg: Watch, ctx: &mut Ctx<Self>) {
        match msg {
            Watch::Begin(cart) => self.monitors.push(ctx.monitor(&cart, Watch::Down)),
            Watch::End => self.monitors.drain(..).for_each(|monitor| ctx.demonitor(monitor)),
            Watch::Block(gate) => gate.notified().await,
            Watch::Down(down) => self.downs.push(down),
            Watch::Downs(reply) => reply.send(self.downs.clone()),
        }
    }
}

async fn cart() -> Addr<Msg> {
    otp::start(Spec::<Cart>::temporary(Args::default())).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn down_is_the_watchers_own_message_with_id_and_reason() {
    let watcher = otp::start(Spec::<Watcher>::temporary(()).capacity(3)).await.unwrap();
    let carts = [cart().await, cart().await, cart().await];
    for cart in &carts {
        watcher.cast(Watch::Begin(cart.clone())).await.unwrap();
    }
    settle().await;
    carts[0].stop(Exit::Normal);
    settle().await;
    carts[1].kill();
    settle().await;
    carts[2].cast(Msg::Crash).await.unwrap();
    settle().await;
    watcher.cast(Watch::Begin(carts[0].clone())).await.unwrap();
    settle().await;
    let down = |cart: &Addr<Msg>, reason| Down { id: cart.id(), reason };
    let expected = vec![
        down(&carts[0], Exit::Normal),
        down(&carts[1], Exit::Killed),
        down(&carts[2], Exit::crash("cart crashed")),
        down(&carts[0], Exit::Normal),
    ];
    assert_eq!(watcher.ask(Watch::Downs).await, Ok(expected), "the last: a monitor on a dead server");
}

#[tokio::test(start_paused = true)]
async fn down_arrives_in_a_full_mailbox() {
    let gate = Arc::new(Notify::new());
    let watcher = otp::start(Spec::<Watcher>::temporary(()).capacity(1)).await.unwrap();
    let target = cart().await;
    watcher.cast(Watch::Begin(target.clone())).await.unwrap();
    settle().await;
    watcher.cast(Watch::Block(gate.clone())).await.unwrap();
    settle().await;
    watcher.try_cast(Watch::End).unwrap();
    assert!(watcher.try_cast(Watch::End).is_err(), "full");
    target.kill();
    target.exited().await;
    assert_eq!(watcher.info().mailbox_len, 2);
    gate.notify_one();
    settle().await;
    assert_eq!(watcher.ask(Watch::Downs).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_taken_back_says_nothing() {
    let watcher = otp::start(Spec::<Watcher>::temporary(())).await.unwrap();
    let target = cart().await;
    watcher.cast(Watch::Begin(target.clone())).await.unwrap();
    watcher.cast(Watch::End).await.unwrap();
    settle().await;
    assert_eq!(target.info().monitored_by, 0);
    let monitor = target.monitor(|_| panic!("cancelled"));
    monitor.cancel();
    target.kill();
    target.exited().await;
    settle().await;
    assert_eq!(watcher.ask(Watch::Downs).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn monitors_go_with_their_watcher_and_with_their_target() {
    let target = cart().await;
    for _ in 0..100 {
        let watcher = otp::start(Spec::<Watcher>::temporary(())).await.unwrap();
        watcher.cast(Watch::Begin(target.clone())).await.unwrap();
        settle().await;
        assert_eq!(target.info().monitored_by, 1);
        watcher.stop(Exit::Normal);
        watcher.exited().await;
    }
    assert_eq!(target.info().monitored_by, 0);

    let watcher = otp::start(Spec::<Watcher>::temporary(())).await.unwrap();
    for _ in 0..100 {
        let target = cart().await;
        watcher.cast(Watch::Begin(target.clone())).await.unwrap();
        settle().await;
        target.kill();
        target.exited().await;
    }
    settle().await;
    assert_eq!(watcher.ask(Watch::Downs).await.unwrap().len(), 100);
    assert_eq!(watcher.info().monitoring, 0, "targets that are gone are not kept in memory");
}

#[tokio::test(start_paused = true)]
async fn a_monitor_that_panics_harms_nobody() {
    let target = cart().await;
    target.monitor(|_| panic!("bad monitor")).keep();
    let heard = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = heard.clone();
    target.monitor(move |_| flag.store(true, std::sync::atomic::Ordering::SeqCst)).keep();
    target.stop(Exit::Normal);
    assert_eq!(target.exited().await, Exit::Normal);
    settle().await;
    assert!(heard.load(std::sync::atomic::Ordering::SeqCst));
}
