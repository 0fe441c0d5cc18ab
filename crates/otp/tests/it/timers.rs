//! Timers on virtual time.

use std::time::Duration;

use otp::{Exit, Spec};
use tokio::time::{Instant, sleep};

use crate::cart::{Args, Cart, Msg, Probe, settle};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn messages_come_after_their_delay_in_order_of_time() {
    let (addr, mut inbox) = otp::inbox::<u32>(100);
    let begin = Instant::now();
    for delay in [30, 10, 20, 10] {
        addr.send_after(delay * SECOND, delay);
    }
    for expected in [10, 10, 20, 30] {
        assert_eq!(inbox.recv().await, Some(expected));
        let late = begin.elapsed().checked_sub(expected * SECOND);
        assert!(
            late.is_some_and(|late| late <= Duration::from_millis(2)),
            "never early: {:?}",
            begin.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_timer_says_nothing() {
    let (addr, mut inbox) = otp::inbox::<u32>(100);
    let first = addr.send_after(SECOND, 1);
    let second = addr.send_after(2 * SECOND, 2);
    first.cancel();
    assert!(!first.is_pending() && second.is_pending());
    assert_eq!(inbox.recv().await, Some(2));
    assert!(!second.is_pending());
    second.cancel();
}

#[tokio::test(start_paused = true)]
async fn an_interval_ticks_until_it_is_cancelled_and_skips_what_finds_no_room() {
    let (addr, mut inbox) = otp::inbox::<u32>(2);
    let mut n = 0;
    let ticks = addr.send_interval(SECOND, move || {
        n += 1;
        n
    });
    assert_eq!(inbox.recv().await, Some(1));
    sleep(Duration::from_millis(10_500)).await;
    assert_eq!(addr.info().mailbox_len, 2, "bounded");
    assert_eq!((inbox.recv().await, inbox.recv().await), (Some(2), Some(3)));
    assert!(inbox.recv().await > Some(10));
    ticks.cancel();
    sleep(10 * SECOND).await;
    assert_eq!(inbox.try_recv(), None);
}

#[tokio::test(start_paused = true)]
async fn timers_end_with_their_server() {
    let probe = Probe::default();
    let cart = otp::start(Spec::<Cart>::temporary(Args::named("a", &probe))).await.unwrap();
    let once = cart.send_after(60 * SECOND, Msg::Crash);
    let ticks = cart.send_interval(SECOND, || Msg::Add(1));
    let idle = otp::start(Spec::<Cart>::temporary(Args { idle: Some(60 * SECOND), ..Args::default() }))
        .await
        .unwrap();
    sleep(Duration::from_millis(3_500)).await;
    assert_eq!(cart.ask(Msg::Total).await, Ok(3));
    assert_eq!(otp::pending_timers(), 3);
    for server in [&cart, &idle] {
        server.stop(Exit::Normal);
        server.exited().await;
    }
    assert!(!once.is_pending() && !ticks.is_pending());
    settle().await;
    assert_eq!(otp::pending_timers(), 0, "nothing of theirs is left in the queue");
}

#[tokio::test(start_paused = true)]
async fn twenty_thousand_idle_servers_cost_one_entry_each_and_all_are_told() {
    let probe = Probe::default();
    let args = Args { idle: Some(60 * SECOND), ..Args::named("a", &probe) };
    let mut carts = Vec::new();
    for _ in 0..20_000 {
        carts.push(otp::start(Spec::<Cart>::temporary(args.clone())).await.unwrap());
    }
    for cart in &carts {
        for _ in 0..3 {
            cart.cast(Msg::Add(1)).await.unwrap();
            settle_briefly().await;
        }
    }
    assert_eq!(otp::pending_timers(), 20_000, "messages add nothing");
    for cart in carts {
        assert_eq!(cart.exited().await, Exit::Normal);
    }
}

async fn settle_briefly() {
    tokio::task::yield_now().await;
}
