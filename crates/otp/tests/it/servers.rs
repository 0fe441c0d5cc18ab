//! One server: calls, casts, ends, idleness.

use std::time::Duration;

use otp::{CallError, DynamicSupervisor, Exit, Registry, Spec};

use crate::cart::{Args, Cart, Msg, Probe};

#[tokio::test(start_paused = true)]
async fn a_server_answers_stops_when_idle_and_comes_back_on_the_next_call() {
    let probe = Probe::default();
    let names: Registry<String, Msg> = Registry::new();
    let carts = DynamicSupervisor::new();
    carts.start().await.unwrap();
    let args = Args { idle: Some(Duration::from_secs(60)), ..Args::named("a", &probe) };
    let start = || carts.start_child(Spec::<Cart>::temporary(args.clone()).named(&names, "a".to_owned()));
    let cart = start().await.unwrap();
    cart.cast(Msg::Add(1)).await.unwrap();
    assert_eq!(cart.ask(Msg::Total).await, Ok(1));
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(cart.ask(Msg::Total).await, Ok(1));
    assert_eq!(cart.exited().await, Exit::Normal);
    assert!(names.is_empty());
    assert_eq!(carts.count_children(), 0);
    assert_eq!(cart.ask(Msg::Total).await, Err(CallError::NoProc));
    let total = names.call_or_start("a", Duration::from_secs(5), start, Msg::Total).await.unwrap();
    assert_eq!(total, 0);
    assert_eq!(probe.inits(), 2);
    carts.stop().await;
    assert_eq!(probe.terminated(), 2);
}
