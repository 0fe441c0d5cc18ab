//! Starts, ends and messages that meet: many rounds on several threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use otp::{CallError, Ctx, DynamicSupervisor, Exit, GenServer, Intensity, Registry, Reply, Spec, StartError};

use crate::cart::{Args, Cart, Msg, Probe, settle};

/// Counts across its lives in `store`, sleeps as soon as it has nothing to do.
struct Sleeper {
    store: Arc<AtomicU64>,
    count: u64,
}

enum Tick {
    Add(Reply<u64>),
}

impl GenServer for Sleeper {
    type Args = (Arc<AtomicU64>, Arc<AtomicU64>);
    type Msg = Tick;

    async fn init((store, lives): Self::Args, ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        lives.fetch_add(1, Ordering::SeqCst);
        ctx.idle_after(Duration::from_millis(1));
        Ok(Self { count: store.load(Ordering::SeqCst), store })
    }

    async fn handle(&mut self, Tick::Add(reply): Tick, ctx: &mut Ctx<Self>) {
        self.count += 1;
        reply.send(self.count);
        if self.count.is_multiple_of(3) {
            // The hardest case: stops between two messages of a running conversation.
            ctx.stop_if_empty();
        }
    }

    async fn handle_idle(&mut self, ctx: &mut Ctx<Self>) {
        ctx.stop_if_empty();
    }

    async fn terminate(&mut self, _reason: &Exit, _ctx: &mut Ctx<Self>) {
        tokio::task::yield_now().await;
        // Two lives at a time would overwrite each other's count.
        self.store.store(self.count, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_fall_asleep_between_messages_lose_none_and_never_live_twice() {
    const CALLERS: u64 = 8;
    const CALLS: u64 = 400;
    let names = Registry::new();
    let carts = DynamicSupervisor::new();
    carts.start().await.unwrap();
    let (store, lives) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (names, carts) = (names.clone(), carts.clone());
        let args = (store.clone(), lives.clone());
        callers.spawn(async move {
            let start = || carts.start_child(Spec::<Sleeper>::temporary(args.clone()).named(&names, 1));
            for _ in 0..CALLS {
                names.call_or_start(&1, Duration::from_mins(1), start, Tick::Add).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    if let Some(last) = names.whereis(&1) {
        last.stop(Exit::Normal);
        last.exited().await;
    }
    assert_eq!(store.load(Ordering::SeqCst), CALLERS * CALLS, "each call counted once");
    assert!(lives.load(Ordering::SeqCst) > 10, "it did fall asleep: {lives:?}");
    assert_eq!((names.len(), carts.count_children()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starts_terminations_kills_and_crashes_of_one_name_leave_nothing_behind() {
    let names: Registry<u64, Msg> = Registry::new();
    let carts =
        DynamicSupervisor::with(usize::MAX, Intensity { restarts: 1_000_000, ..Intensity::default() });
    carts.start().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for seed in 0..8u64 {
        let (names, carts) = (names.clone(), carts.clone());
        tasks.spawn(async move {
            let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            for _ in 0..800 {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                let key = dice % 3;
                let spec = if dice & 64 == 0 {
                    Spec::<Cart>::temporary(Args::default())
                } else {
                    Spec::<Cart>::transient(Args::default)
                };
                let cart = match carts.start_child(spec.named(&names, key)).await {
                    Ok(cart) | Err(StartError::AlreadyStarted(cart)) => cart,
                    Err(StartError::Failed(_)) => continue,
                    Err(error) => panic!("{error:?}"),
                };
                match (dice >> 8) % 5 {
                    0 => drop(carts.terminate_child(&cart).await),
                    1 => cart.kill(),
                    2 => drop(cart.try_cast(Msg::Crash)),
                    3 => cart.stop(Exit::Normal),
                    _ => match cart.call(Duration::from_secs(30), Msg::Total).await {
                        Ok(_) | Err(CallError::NoProc | CallError::Crashed) => {}
                        Err(error) => panic!("{error}"),
                    },
                }
            }
        });
    }
    tasks.join_all().await;
    carts.stop().await;
    assert_eq!((names.len(), carts.count_children()), (0, 0));
    let stats = carts.stats();
    assert_eq!(stats.started, stats.stopped);
    assert_eq!(stats.leaked, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_to_servers_that_keep_dying_is_answered_or_refused() {
    let names: Registry<u8, Msg> = Registry::new();
    let carts = DynamicSupervisor::with(1, Intensity { restarts: 1_000_000, ..Intensity::default() });
    carts.start().await.unwrap();
    carts.start_child(Spec::<Cart>::permanent(Args::default).named(&names, 1)).await.unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let names = names.clone();
        callers.spawn(async move {
            let mut answered = 0;
            for _ in 0..2_000 {
                let Some(cart) = names.whereis(&1) else {
                    tokio::task::yield_now().await;
                    continue;
                };
                match cart.call(Duration::from_secs(30), Msg::Total).await {
                    Ok(_) => answered += 1,
                    Err(CallError::NoProc | CallError::Crashed) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            answered
        });
    }
    for round in 0..500 {
        if let Some(cart) = names.whereis(&1) {
            if round % 2 == 0 { cart.kill() } else { drop(cart.try_cast(Msg::Crash)) }
        }
        tokio::task::yield_now().await;
    }
    let answered: u32 = callers.join_all().await.into_iter().sum();
    assert!(answered > 0);
    carts.stop().await;
    assert!(names.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_of_the_supervisor_among_starts_lets_no_child_outlive_it() {
    for _ in 0..50 {
        let probe = Probe::default();
        let names: Registry<u32, Msg> = Registry::new();
        let carts = DynamicSupervisor::new();
        carts.start().await.unwrap();
        let mut starters = tokio::task::JoinSet::new();
        for lane in 0..4 {
            let (names, carts, probe) = (names.clone(), carts.clone(), probe.clone());
            starters.spawn(async move {
                for n in 0..100 {
                    let spec =
                        Spec::<Cart>::temporary(Args::named("a", &probe)).named(&names, lane * 1_000 + n);
                    match carts.start_child(spec).await {
                        Ok(_) | Err(StartError::Failed(_)) => {}
                        Err(StartError::NoSupervisor) => return,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
        tokio::task::yield_now().await;
        carts.stop().await;
        assert_eq!((names.len(), carts.count_children()), (0, 0));
        starters.join_all().await;
        settle().await;
        assert_eq!(names.len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn casts_through_a_tiny_mailbox_all_arrive_in_the_order_of_their_sender() {
    const SENDERS: usize = 6;
    const EACH: u64 = 3_000;
    for capacity in [1, 2, 7] {
        let (addr, mut inbox) = otp::inbox::<(usize, u64)>(capacity);
        for sender in 0..SENDERS {
            let addr = addr.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    // Every fifth gives up its place at once and queues again: no turn may be lost with it.
                    if n % 5 == 0 && addr.cast_within(Duration::ZERO, (sender, n)).await.is_ok() {
                        continue;
                    }
                    addr.cast_within(Duration::from_mins(1), (sender, n)).await.unwrap();
                }
            });
        }
        let mut next = [0; SENDERS];
        for _ in 0..SENDERS as u64 * EACH {
            let got = tokio::time::timeout(Duration::from_mins(1), inbox.recv()).await;
            let (sender, n) = got.expect("a lost wake-up").unwrap();
            let expected = &mut next[sender];
            assert_eq!(n, *expected);
            *expected += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_waits_for_an_end_hears_of_it() {
    let names: Registry<u8, Msg> = Registry::new();
    for _ in 0..300 {
        let carts = DynamicSupervisor::new();
        carts.start().await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (names, carts) = (names.clone(), carts.clone());
            tasks.spawn(async move {
                let spec = Spec::<Cart>::temporary(Args::default()).named(&names, 1);
                if let Ok(cart) | Err(StartError::AlreadyStarted(cart)) = carts.start_child(spec).await {
                    // A server that was refused its name or its task must not be waited for in vain either.
                    tokio::time::timeout(Duration::from_mins(1), cart.exited()).await.expect("an end");
                }
            });
        }
        tokio::task::yield_now().await;
        carts.stop().await;
        tasks.join_all().await;
        assert!(names.is_empty());
    }
}
