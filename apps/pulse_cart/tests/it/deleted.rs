//! A cart whose row was deleted, as a guest's is that was left alone for long, while a server had it in mind.

use std::sync::Arc;
use std::time::Duration;

use pulse_cart::{CartFailure, Msg};
use pulse_core::cart::{CartError, Command, Line};
use pulse_core::{CheckoutKey, Version};

use crate::stage::{CART, Stage, add, awake, line, send, start};

const MONTH: i64 = 30 * 24 * 3_600_000;

impl Stage {
    fn delete(&self) {
        self.rows.lock().unwrap().remove(&CART);
        *self.now.lock().unwrap() += MONTH;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cart_whose_row_is_gone_goes_on_with_what_is_put_into_it_next() {
    let (stage, cart) = awake().await;
    let old = send(&cart, 1, add(1, 5)).await.unwrap().version;
    stage.delete();
    let receipt = send(&cart, 2, add(2, 3)).await.unwrap();
    assert!(receipt.version > old, "{receipt:?}");
    assert_eq!(stage.row(), *receipt.cart, "what was acknowledged is stored");
    assert_eq!(receipt.cart.cart.lines.iter().map(Line::key).collect::<Vec<_>>(), [line(2)]);
    let repeated = send(&cart, 2, add(2, 3)).await.unwrap();
    assert_eq!((repeated.version, repeated.cart.cart.pieces()), (receipt.version, 3));
    let seen = cart.ask(|reply| Msg::View { reply }).await.unwrap().unwrap();
    assert_eq!(*seen, stage.row());
}

#[tokio::test(start_paused = true)]
async fn a_cart_whose_row_is_gone_has_nothing_to_check_out_or_to_take_out() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 5)).await.unwrap();
    stage.delete();
    let refused = |error| Err(CartFailure::Refused(error));
    let key = CheckoutKey::new("k").unwrap();
    assert_eq!(send(&cart, 2, Command::Freeze { key }).await.map(drop), refused(CartError::Empty));
    let remove = Command::Remove { line: line(1) };
    let gone = CartError::NoSuchLine { line: line(1) };
    assert_eq!(send(&cart, 3, remove).await.map(drop), refused(gone));
    assert_eq!(stage.row().version, Version::NONE);
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_remembers_the_old_row_does_not_overwrite_the_new_one() {
    let stage = Arc::new(Stage::default());
    let (one, _) = start(&stage, Duration::from_hours(1)).await;
    let (two, _) = start(&stage, Duration::from_hours(1)).await;
    for id in 0..3 {
        send(&one, id, add(1, 1)).await.unwrap();
    }
    stage.delete();
    // As many versions of the new row as the old one had.
    for id in 3..6 {
        send(&two, id, add(2, 1)).await.unwrap();
    }
    send(&one, 6, add(3, 1)).await.unwrap();
    let lines: Vec<_> = stage.row().cart.lines.iter().map(|line| (line.key(), line.quantity.get())).collect();
    assert_eq!(lines, [(line(2), 3), (line(3), 1)], "nothing that was acknowledged since is lost");
}
