//! How servers begin and end.

use std::time::Duration;

use otp::{CallError, Exit, Registry, Spec, StartError};

use crate::cart::{Args, Cart, Init, Msg, Probe, Terminate, settle};

fn names() -> Registry<String, Msg> {
    Registry::new()
}

fn key() -> String {
    "a".to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_init_is_the_starters_answer_and_frees_the_name() {
    for (init, message) in [(Init::Fails, "no such cart"), (Init::Panics, "init panics")] {
        let (probe, names) = (Probe::default(), names());
        let args = Args { init, ..Args::named("a", &probe) };
        let error = otp::start(Spec::<Cart>::temporary(args).named(&names, key())).await.unwrap_err();
        let StartError::Failed(exit) = error else { panic!("{error:?}") };
        assert_eq!(exit, Exit::crash(message));
        assert!(names.is_empty());
        assert_eq!(probe.terminated(), 0, "what was not built is not torn down");
    }
}

#[tokio::test(start_paused = true)]
async fn an_init_that_hangs_ends_by_its_limit_or_by_a_stop() {
    let (probe, names) = (Probe::default(), names());
    let args = Args { init: Init::Hangs, ..Args::named("a", &probe) };
    let spec = Spec::<Cart>::temporary(args.clone()).named(&names, key());
    let error = otp::start(spec.start_timeout(Duration::from_secs(2))).await.unwrap_err();
    assert!(matches!(error, StartError::Timeout), "{error:?}");
    assert!(names.is_empty());

    let spec = Spec::<Cart>::temporary(args).named(&names, key());
    let starting = tokio::spawn(otp::start(spec));
    settle().await;
    names.whereis("a").unwrap().stop(Exit::Shutdown);
    let error = starting.await.unwrap().unwrap_err();
    assert!(matches!(error, StartError::Failed(Exit::Shutdown)), "{error:?}");
    assert!(names.is_empty());
}

#[tokio::test(start_paused = true)]
async fn messages_that_arrive_during_init_are_handled_after_it() {
    let names = names();
    let args = Args { init: Init::WaitsForGate, ..Args::named("a", &Probe::default()) };
    let gate = args.probe.gate.clone();
    let starting = tokio::spawn(otp::start(Spec::<Cart>::temporary(args).named(&names, key())));
    settle().await;
    let early = names.whereis("a").unwrap();
    early.cast(Msg::Add(1)).await.unwrap();
    gate.notify_one();
    let cart = starting.await.unwrap().unwrap();
    assert_eq!(cart, early);
    assert_eq!(cart.ask(Msg::Total).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn terminate_runs_on_every_end_but_a_kill() {
    for (msg, exit, terminated) in [
        (Msg::Stop(Exit::Normal), Exit::Normal, 1),
        (Msg::Stop(Exit::Shutdown), Exit::Shutdown, 1),
        (Msg::Stop(Exit::crash("gave up")), Exit::crash("gave up"), 1),
        (Msg::Crash, Exit::crash("cart crashed"), 1),
    ] {
        let probe = Probe::default();
        let cart = otp::start(Spec::<Cart>::temporary(Args::named("a", &probe))).await.unwrap();
        cart.cast(msg).await.unwrap();
        assert_eq!(cart.exited().await, exit);
        assert_eq!(probe.terminated(), terminated, "{exit}");
    }
    let probe = Probe::default();
    let cart = otp::start(Spec::<Cart>::temporary(Args::named("a", &probe))).await.unwrap();
    cart.kill();
    assert_eq!(cart.exited().await, Exit::Killed);
    assert_eq!(probe.terminated(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_kill_acts_at_the_next_await_of_a_message_that_hangs() {
    let (probe, names) = (Probe::default(), names());
    let spec = Spec::<Cart>::temporary(Args::named("a", &probe)).named(&names, key());
    let cart = otp::start(spec).await.unwrap();
    cart.cast(Msg::Hang).await.unwrap();
    settle().await;
    cart.stop(Exit::Shutdown);
    settle().await;
    assert_eq!(names.len(), 1, "a stop waits for the message");
    cart.kill();
    assert_eq!(cart.exited().await, Exit::Killed);
    assert!(names.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_terminate_is_an_end_like_any_other() {
    let (probe, names) = (Probe::default(), names());
    let args = Args { terminate: Terminate::Panics, ..Args::named("a", &probe) };
    let cart = otp::start(Spec::<Cart>::temporary(args.clone()).named(&names, key())).await.unwrap();
    cart.stop(Exit::Normal);
    assert_eq!(cart.exited().await, Exit::crash("terminate panics"));
    assert!(names.is_empty());

    let cart = otp::start(Spec::<Cart>::temporary(args).named(&names, key())).await.unwrap();
    cart.cast(Msg::Crash).await.unwrap();
    assert_eq!(cart.exited().await, Exit::crash("cart crashed"), "the first crash is the reason");
    assert!(names.is_empty());
}

#[tokio::test(start_paused = true)]
async fn callers_hear_no_proc_while_terminate_still_runs_and_the_name_is_held() {
    let (probe, names) = (Probe::default(), names());
    let args = Args { terminate: Terminate::WaitsForGate, ..Args::named("a", &probe) };
    let cart = otp::start(Spec::<Cart>::temporary(args).named(&names, key())).await.unwrap();
    cart.stop(Exit::Normal);
    settle().await;
    assert_eq!(cart.ask(Msg::Total).await, Err(CallError::NoProc));
    assert!(!cart.is_running());
    assert_eq!(names.len(), 1, "no second server may begin before the first has saved its state");
    probe.gate.notify_one();
    assert_eq!(cart.exited().await, Exit::Normal);
    assert!(names.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_idle_server_hears_of_it_once_a_period_and_not_earlier() {
    let probe = Probe::default();
    let names = names();
    let args = Args { idle: Some(Duration::from_mins(1)), ..Args::named("a", &probe) };
    let cart = otp::start(Spec::<Cart>::temporary(args).named(&names, key())).await.unwrap();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(59)).await;
        assert_eq!(cart.ask(Msg::Total).await, Ok(0), "each message begins a new period");
    }
    let begin = tokio::time::Instant::now();
    assert_eq!(cart.exited().await, Exit::Normal);
    let idle = begin.elapsed().as_millis();
    assert!((60_000..=60_001).contains(&idle), "{idle} ms");
    assert_eq!(probe.lines(), ["init a", "idle a", "terminate a normal"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_up_after_idling_is_told_again_only_after_a_message() {
    let probe = Probe::default();
    let args = Args { idle: Some(Duration::from_mins(1)), stays: true, ..Args::named("a", &probe) };
    let cart = otp::start(Spec::<Cart>::temporary(args)).await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(probe.lines(), ["init a", "idle a"]);
    cart.cast(Msg::Add(1)).await.unwrap();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(probe.lines(), ["init a", "idle a", "idle a"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_stops_if_empty_only_if_nothing_is_queued_and_then_lets_nothing_in() {
    let probe = Probe::default();
    let cart = otp::start(Spec::<Cart>::temporary(Args::named("a", &probe))).await.unwrap();
    cart.try_cast(Msg::Block).unwrap();
    settle().await;
    let asking = {
        let cart = cart.clone();
        tokio::spawn(async move { cart.ask(Msg::StopIfEmpty).await })
    };
    settle().await;
    cart.try_cast(Msg::Add(1)).unwrap();
    probe.gate.notify_one();
    assert_eq!(asking.await.unwrap(), Ok(false), "a cast was queued behind it");
    assert_eq!(cart.ask(Msg::Total).await, Ok(1), "and was not lost");
    assert_eq!(cart.ask(Msg::StopIfEmpty).await, Ok(true));
    assert!(cart.try_cast(Msg::Add(1)).is_err());
    assert_eq!(cart.exited().await, Exit::Normal);
}

#[test]
fn a_panic_unwinds_so_that_a_crash_stays_with_its_server() {
    // Test builds always unwind; a product build with `panic = "abort"` is refused by the crate itself.
    let caught = std::panic::catch_unwind(|| panic!("caught"));
    assert!(caught.is_err());
    let library = include_str!("../../src/lib.rs");
    assert!(library.contains("#[cfg(all(panic = \"abort\", not(doc)))]\ncompile_error!"));
}

#[test]
fn a_runtime_that_ends_ends_its_servers_in_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let names = names();
    let probe = Probe::default();
    let carts = otp::DynamicSupervisor::with(
        usize::MAX,
        otp::Intensity { restarts: 1_000_000, ..otp::Intensity::default() },
    );
    let cart = runtime.block_on(async {
        carts.start().await.unwrap();
        for n in 0..200 {
            let args = Args::named("a", &probe);
            let spec = Spec::<Cart>::permanent(move || args.clone()).named(&names, n.to_string());
            carts.start_child(spec).await.unwrap();
        }
        names.whereis("7").unwrap()
    });
    drop(runtime);
    assert!(!cart.is_running());
    assert!(names.is_empty());
    assert_eq!(carts.count_children(), 0);
    assert_eq!(probe.inits(), 200);
    assert!(carts.stats().restarts <= 200, "no chain of restarts into a runtime that is gone");
}
