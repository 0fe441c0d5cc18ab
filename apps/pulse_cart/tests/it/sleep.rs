//! A cart goes to sleep when nobody needs it, and takes nothing with it.

use std::sync::Arc;
use std::time::Duration;

use otp::{CallError, Exit};
use pulse_cart::Msg;

use crate::stage::{Fault, Stage, add, send, start, view};

const IDLE: Duration = Duration::from_mins(5);

#[tokio::test(start_paused = true)]
async fn it_sleeps_after_its_idle_time_and_not_before() {
    let stage = Arc::new(Stage::default());
    let (cart, env) = start(&stage, IDLE).await;
    for id in 0..4 {
        tokio::time::sleep(IDLE / 2).await;
        send(&cart, id, add(1, 1)).await.unwrap();
    }
    tokio::time::sleep(IDLE.mul_f32(0.99)).await;
    assert!(cart.is_running());
    tokio::time::sleep(IDLE).await;
    assert_eq!(cart.exited().await, Exit::Normal);
    assert_eq!(env.counters.stats().slept, 1);
    let (again, _) = start(&stage, IDLE).await;
    assert_eq!(view(&again).await.unwrap().cart.pieces(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_save_that_outlasts_the_idle_time_is_finished_and_answered() {
    let stage = Arc::new(Stage::default());
    let (cart, _) = start(&stage, Duration::from_millis(10)).await;
    stage.fault(Fault::Slow(Duration::from_secs(2)));
    assert!(send(&cart, 1, add(1, 1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_message_to_a_sleeping_cart_is_told_that_it_was_not_handled() {
    let stage = Arc::new(Stage::default());
    let (cart, _) = start(&stage, IDLE).await;
    tokio::time::sleep(IDLE * 2).await;
    let answer = cart.ask(|reply| Msg::View { reply }).await;
    assert_eq!(answer.unwrap_err(), CallError::NoProc);
}
