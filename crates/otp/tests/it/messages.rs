//! Calls and casts: every refusal is typed and at once.

use std::task::Poll;
use std::time::Duration;

use otp::{Addr, CallError, CastError, Exit, Reply, Spec, TryCastError};
use tokio::time::Instant;

use crate::cart::{Args, Cart, Msg, Probe, settle};

async fn cart(probe: &Probe, capacity: u32) -> Addr<Msg> {
    otp::start(Spec::<Cart>::temporary(Args::named("a", probe)).capacity(capacity)).await.unwrap()
}

/// A call whose outcome and virtual duration are awaited later.
fn calling(
    addr: &Addr<Msg>,
    msg: fn(Reply<u64>) -> Msg,
) -> tokio::task::JoinHandle<(Result<u64, CallError>, Duration)> {
    let addr = addr.clone();
    tokio::spawn(async move {
        let begin = Instant::now();
        (addr.ask(msg).await, begin.elapsed())
    })
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_and_casts_before_it_are_seen() {
    let cart = cart(&Probe::default(), 10).await;
    for sku in 0..5 {
        cart.cast(Msg::Add(sku)).await.unwrap();
    }
    assert_eq!(cart.ask(Msg::Total).await, Ok(5));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_times_out_after_its_patience() {
    let cart = cart(&Probe::default(), 10).await;
    let begin = Instant::now();
    assert_eq!(cart.call(Duration::from_millis(300), Msg::Keep).await, Err(CallError::Timeout));
    assert_eq!(begin.elapsed().as_millis(), 300);
    assert_eq!(calling(&cart, Msg::Keep).await.unwrap(), (Err(CallError::Timeout), Duration::from_secs(5)));
    assert_eq!(cart.ask(Msg::Total).await, Ok(0), "the server itself goes on");
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_gives_overloaded_at_once() {
    let probe = Probe::default();
    let cart = cart(&probe, 2).await;
    cart.try_cast(Msg::Block).unwrap();
    settle().await;
    cart.try_cast(Msg::Add(1)).unwrap();
    cart.try_cast(Msg::Add(2)).unwrap();
    assert_eq!(calling(&cart, Msg::Total).await.unwrap(), (Err(CallError::Overloaded), Duration::ZERO));
    assert!(matches!(cart.try_cast(Msg::Add(3)), Err(TryCastError::Full(Msg::Add(3)))));
    assert_eq!(cart.info().mailbox_len, 2);
    let begin = Instant::now();
    let patience = Duration::from_secs(1);
    assert_eq!(cart.cast_within(patience, Msg::Add(3)).await, Err(CastError::Overloaded));
    assert_eq!(begin.elapsed(), patience);
    probe.gate.notify_one();
    settle().await;
    assert_eq!(cart.ask(Msg::Total).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn casts_that_wait_for_room_are_woken_and_none_is_lost() {
    let probe = Probe::default();
    let cart = cart(&probe, 1).await;
    cart.try_cast(Msg::Block).unwrap();
    settle().await;
    let casts: Vec<_> = (0..20)
        .map(|sku| {
            let cart = cart.clone();
            tokio::spawn(async move { cart.cast(Msg::Add(sku)).await })
        })
        .collect();
    settle().await;
    // One of those that wait goes away; its turn must not be lost.
    casts[1].abort();
    probe.gate.notify_one();
    let mut queued = 0;
    for cast in casts {
        queued += u64::from(cast.await.is_ok_and(|sent| sent.is_ok()));
    }
    assert_eq!(queued, 19);
    assert_eq!(cart.cast(Msg::Add(0)).await, Ok(()));
    settle().await;
    assert_eq!(cart.ask(Msg::Total).await, Ok(20));
}

#[tokio::test(start_paused = true)]
async fn a_cast_that_gives_up_after_its_turn_came_passes_the_turn_on() {
    let (addr, mut inbox) = otp::inbox::<u8>(1);
    addr.try_cast(0).unwrap();
    let mut first = Box::pin(addr.cast(1));
    let waits = std::future::poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await;
    let second = {
        let addr = addr.clone();
        tokio::spawn(async move { addr.cast(2).await })
    };
    settle().await;
    assert!(waits && !second.is_finished());
    assert_eq!(inbox.try_recv(), Some(0));
    drop(first);
    settle().await;
    assert!(second.is_finished(), "there is room and nobody before it");
    assert_eq!(inbox.try_recv(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn the_caller_of_a_crashing_server_hears_crashed_and_those_behind_it_no_proc_at_once() {
    let probe = Probe::default();
    let cart = cart(&probe, 10).await;
    cart.try_cast(Msg::Block).unwrap();
    settle().await;
    let taken = calling(&cart, Msg::CrashIn);
    settle().await;
    let queued = calling(&cart, Msg::Total);
    settle().await;
    probe.gate.notify_one();
    assert_eq!(taken.await.unwrap(), (Err(CallError::Crashed), Duration::ZERO));
    assert_eq!(queued.await.unwrap(), (Err(CallError::NoProc), Duration::ZERO));
    assert_eq!(calling(&cart, Msg::Total).await.unwrap(), (Err(CallError::NoProc), Duration::ZERO));
    assert_eq!(cart.cast(Msg::Add(1)).await, Err(CastError::NoProc));
    assert!(matches!(cart.try_cast(Msg::Add(1)), Err(TryCastError::NoProc(_))));
    assert!(CallError::NoProc.was_not_handled() && !CallError::Crashed.was_not_handled());
}

#[tokio::test(start_paused = true)]
async fn a_kept_reply_is_crashed_when_its_server_ends_and_a_queued_one_no_proc() {
    let probe = Probe::default();
    let cart = cart(&probe, 10).await;
    let kept = calling(&cart, Msg::Keep);
    settle().await;
    cart.try_cast(Msg::Block).unwrap();
    let queued = calling(&cart, Msg::Keep);
    settle().await;
    cart.stop(Exit::Shutdown);
    assert_eq!(
        queued.await.unwrap(),
        (Err(CallError::NoProc), Duration::ZERO),
        "before the server even ends"
    );
    assert!(!kept.is_finished());
    probe.gate.notify_one();
    assert_eq!(kept.await.unwrap(), (Err(CallError::Crashed), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_stop_goes_before_queued_messages() {
    let probe = Probe::default();
    let cart = cart(&probe, 10).await;
    cart.try_cast(Msg::Block).unwrap();
    settle().await;
    cart.try_cast(Msg::Crash).unwrap();
    cart.stop(Exit::Shutdown);
    probe.gate.notify_one();
    assert_eq!(cart.exited().await, Exit::Shutdown, "the queued crash was never handled");
    assert_eq!(probe.terminated(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_rests_lets_others_run() {
    const MESSAGES: u64 = 100_000;
    let busy = cart(&Probe::default(), 10).await;
    let other = cart(&Probe::default(), 10).await;
    busy.try_cast(Msg::Again(MESSAGES)).unwrap();
    assert_eq!(other.ask(Msg::Total).await, Ok(0));
    let handled = busy.info().handled;
    assert!(handled < MESSAGES, "one thread, and it was held for {handled} messages");
}

#[tokio::test(start_paused = true)]
async fn a_handler_takes_what_waits_behind_it_but_passes_nothing_over() {
    let probe = Probe::default();
    let cart = cart(&probe, 5).await;
    cart.try_cast(Msg::Block).unwrap();
    settle().await;
    for message in [Msg::AddUp, Msg::Add(1), Msg::Add(2)] {
        cart.try_cast(message).unwrap();
    }
    let total = calling(&cart, Msg::Total);
    settle().await;
    cart.try_cast(Msg::Add(4)).unwrap();
    // The mailbox is full: this one waits for the room that the handler makes.
    let sender = cart.clone();
    let waiting = tokio::spawn(async move { sender.cast(Msg::Add(8)).await });
    settle().await;
    assert!(!waiting.is_finished());
    probe.gate.notify_one();
    assert_eq!(total.await.unwrap().0, Ok(2), "the call was not overtaken");
    assert_eq!(waiting.await.unwrap(), Ok(()));
    assert_eq!(cart.ask(Msg::Total).await, Ok(4));
    assert!(probe.lines().contains(&"2 at once".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_handler_takes_nothing_more_once_its_server_is_to_stop() {
    let probe = Probe::default();
    let cart = cart(&probe, 5).await;
    cart.try_cast(Msg::StopAndAddUp).unwrap();
    cart.try_cast(Msg::Add(1)).unwrap();
    assert_eq!(cart.exited().await, Exit::Normal);
    assert!(probe.lines().contains(&"0 at once".to_owned()));
}
