//! Each command is stored before its reply, once, whatever the store does.

use std::sync::Arc;
use std::time::Duration;

use otp::{CallError, Exit};
use pulse_cart::{CartFailure, Msg};
use pulse_core::cart::{CartError, Command, Limits, StoredCart};
use pulse_core::ports::Notice;
use pulse_core::{CommandId, Version};

use crate::stage::{CART, Fault, Stage, add, awake, line, send, start, view};

#[tokio::test(start_paused = true)]
async fn a_reply_is_of_what_the_row_holds() {
    let (stage, cart) = awake().await;
    for n in 1..=5_u8 {
        let receipt = send(&cart, u64::from(n), add(n, 2)).await.unwrap();
        assert_eq!(receipt.version, Version(n.into()));
        assert_eq!(*receipt.cart, stage.row());
    }
    assert_eq!(stage.row().cart.pieces(), 10);
    assert_eq!(*view(&cart).await.unwrap(), stage.row());
    assert_eq!(*stage.loads.lock().unwrap(), 1, "an open cart is loaded once");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_stays_what_it_was() {
    let (_, cart) = awake().await;
    let first = send(&cart, 1, add(1, 1)).await.unwrap();
    send(&cart, 2, add(2, 1)).await.unwrap();
    assert_eq!((first.cart.version, first.cart.cart.lines.len()), (Version(1), 1));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_is_answered_and_not_done_again_also_by_the_next_server() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 3)).await.unwrap();
    send(&cart, 2, add(2, 1)).await.unwrap();
    assert_eq!(send(&cart, 1, add(1, 3)).await.unwrap().version, Version(1));
    cart.kill();
    cart.exited().await;
    let (again, env) = start(&stage, Duration::from_hours(1)).await;
    let receipt = send(&again, 1, add(1, 3)).await.unwrap();
    assert_eq!((receipt.version, receipt.cart.version), (Version(1), Version(2)));
    assert_eq!(stage.row().cart.line(&line(1)).unwrap().quantity.get(), 3);
    assert_eq!(env.counters.stats().repeated, 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_command_stores_nothing_and_its_id_may_be_used_again() {
    let (stage, cart) = awake().await;
    let refused = send(&cart, 1, Command::Remove { line: line(1) }).await;
    assert_eq!(refused.unwrap_err(), CartFailure::Refused(CartError::NoSuchLine { line: line(1) }));
    assert_eq!(stage.row(), StoredCart::default());
    send(&cart, 1, add(1, 1)).await.unwrap();
    assert_eq!(stage.row().version, Version(1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_an_answer_and_the_cart_lives() {
    let (stage, cart) = awake().await;
    *stage.load_fails.lock().unwrap() = 2;
    assert!(matches!(view(&cart).await, Err(CartFailure::Store(_))));
    assert!(matches!(send(&cart, 1, add(1, 1)).await, Err(CartFailure::Store(_))));
    assert_eq!(send(&cart, 1, add(1, 1)).await.unwrap().version, Version(1));
    assert!(cart.is_running());
}

#[tokio::test(start_paused = true)]
async fn a_save_of_unknown_outcome_is_found_out_before_the_next_command() {
    for (fault, written) in [(Fault::Lost, false), (Fault::WrittenButFailed, true)] {
        let (stage, cart) = awake().await;
        send(&cart, 1, add(1, 1)).await.unwrap();
        stage.fault(fault);
        assert!(matches!(send(&cart, 2, add(1, 10)).await, Err(CartFailure::Store(_))));
        let seen = view(&cart).await.unwrap();
        assert_eq!(*seen, stage.row());
        assert_eq!(seen.cart.pieces(), if written { 11 } else { 1 });
        // The caller repeats under the same id: done once in both cases.
        send(&cart, 2, add(1, 10)).await.unwrap();
        assert_eq!(stage.row().cart.pieces(), 11);
    }
}

#[tokio::test(start_paused = true)]
async fn another_owners_change_is_kept_and_the_command_done_on_top_of_it() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 1)).await.unwrap();
    let mut other = stage.row();
    other.cart.lines[0].quantity = 7.try_into().unwrap();
    other.version = other.version.next();
    stage.fault(Fault::Overtaken(Box::new(other)));
    let receipt = send(&cart, 2, add(2, 1)).await.unwrap();
    assert_eq!(receipt.version, Version(3));
    assert_eq!(stage.row().cart.pieces(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_another_owner_has_done_already_is_not_done_again() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 1)).await.unwrap();
    let mut other = stage.row();
    other.cart.lines[0].quantity = 2.try_into().unwrap();
    other.version = other.version.next();
    other.recent.remember(CommandId(2), other.version);
    stage.fault(Fault::Overtaken(Box::new(other)));
    assert_eq!(send(&cart, 2, add(1, 1)).await.unwrap().version, Version(2));
    assert_eq!(stage.row().cart.pieces(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cart_that_others_keep_changing_says_so() {
    let (stage, cart) = awake().await;
    for version in 1..=4 {
        let other = StoredCart { version: Version(version), ..StoredCart::default() };
        stage.fault(Fault::Overtaken(Box::new(other)));
    }
    assert_eq!(send(&cart, 1, add(1, 1)).await.unwrap_err(), CartFailure::Contended);
    assert_eq!(send(&cart, 1, add(1, 1)).await.unwrap().version, Version(5));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_store_ends_the_server_and_the_caller_knows_that_the_outcome_is_unknown() {
    let (stage, cart) = awake().await;
    stage.fault(Fault::Panics);
    let answer =
        cart.ask(|reply| Msg::Command { id: None, command: add(1, 1), limits: Limits::BUYER, reply }).await;
    assert_eq!(answer.unwrap_err(), CallError::Crashed);
    assert!(matches!(cart.exited().await, Exit::Crashed(_)));
}

#[tokio::test(start_paused = true)]
async fn killed_in_the_middle_of_a_save_it_has_acknowledged_nothing() {
    let (stage, cart) = awake().await;
    stage.fault(Fault::Slow(Duration::from_secs(1)));
    let sender = cart.clone();
    let call = tokio::spawn(async move {
        sender.ask(|reply| Msg::Command { id: None, command: add(1, 1), limits: Limits::BUYER, reply }).await
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    cart.kill();
    assert_eq!(call.await.unwrap().unwrap_err(), CallError::Crashed);
    assert_eq!(stage.row(), StoredCart::default());
}

#[tokio::test(start_paused = true)]
async fn asked_to_stop_in_the_middle_of_a_save_it_finishes_and_answers() {
    let (stage, cart) = awake().await;
    stage.fault(Fault::Slow(Duration::from_secs(1)));
    let call = tokio::spawn({
        let cart = cart.clone();
        async move { send(&cart, 1, add(1, 1)).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    cart.stop(Exit::Shutdown);
    assert_eq!(call.await.unwrap().unwrap().version, Version(1));
    assert_eq!(stage.row().version, Version(1));
}

#[tokio::test(start_paused = true)]
async fn two_servers_of_one_cart_lose_and_double_nothing() {
    let stage = Arc::new(Stage::default());
    let (one, _) = start(&stage, Duration::from_hours(1)).await;
    let (two, _) = start(&stage, Duration::from_hours(1)).await;
    for id in 0..60_u64 {
        let cart = if id % 3 == 0 { &one } else { &two };
        send(cart, id, add(u8::try_from(id % 5).unwrap(), 1)).await.unwrap();
    }
    assert_eq!(stage.row().cart.pieces(), 60);
    assert_eq!(stage.row().version, Version(60));
    assert_eq!(stage.rows.lock().unwrap().keys().copied().collect::<Vec<_>>(), [CART]);
}

#[tokio::test]
async fn the_bus_is_told_of_what_was_stored_and_of_nothing_else() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 2)).await.unwrap();
    send(&cart, 1, add(1, 2)).await.unwrap();
    stage.fault(Fault::Lost);
    assert!(send(&cart, 2, add(1, 2)).await.is_err());
    assert!(send(&cart, 3, Command::Remove { line: line(9) }).await.is_err());
    send(&cart, 4, add(2, 1)).await.unwrap();
    let told = stage.told.lock().unwrap().clone();
    assert_eq!(told, [(Notice::Cart(CART), Version(1)), (Notice::Cart(CART), Version(2))]);
}
