//! A frozen cart's row is written by the checkout too: the server never trusts its own copy of it.

use pulse_cart::CartFailure;
use pulse_core::Version;
use pulse_core::cart::{CartError, Command, FREEZE_LEASE, Recent, StoredCart};

use crate::stage::{CART, add, awake, key, send, view};
use pulse_core::CartId;

#[tokio::test(start_paused = true)]
async fn after_the_checkout_the_cart_is_what_the_checkout_left() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 2)).await.unwrap();
    let frozen = send(&cart, None, Command::Freeze { key: key("k") }).await.unwrap();
    // The order's transaction: the row is emptied under the next version.
    stage.order_placed(&key("k"), CART);
    let emptied = StoredCart {
        version: frozen.version.next(),
        recent: frozen.cart.recent.clone(),
        ..StoredCart::default()
    };
    stage.rows.lock().unwrap().insert(CART, emptied.clone());
    assert_eq!(*view(&cart).await.unwrap(), emptied);
    let receipt = send(&cart, 1, add(1, 2)).await.unwrap();
    assert_eq!(receipt.version, Version(1), "a repeat from before the checkout is still known");
    assert_eq!(send(&cart, 2, add(1, 1)).await.unwrap().version, Version(4));
}

#[tokio::test(start_paused = true)]
async fn a_frozen_row_whose_order_was_placed_meanwhile_is_read_again() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 2)).await.unwrap();
    send(&cart, None, Command::Freeze { key: key("k") }).await.unwrap();
    stage.order_placed(&key("k"), CART);
    let emptied = StoredCart { version: Version(3), recent: Recent::default(), ..StoredCart::default() };
    *stage.placed_meanwhile.lock().unwrap() = Some(emptied.clone());
    assert_eq!(*view(&cart).await.unwrap(), emptied);
}

#[tokio::test(start_paused = true)]
async fn a_checkout_that_is_repeated_after_its_order_keeps_what_was_put_in_since() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 2)).await.unwrap();
    stage.order_placed(&key("k"), CART);
    send(&cart, None, Command::Freeze { key: key("k") }).await.unwrap();
    let seen = view(&cart).await.unwrap();
    assert_eq!((seen.cart.pieces(), &seen.cart.freeze), (2, &None));
    send(&cart, 2, add(1, 1)).await.unwrap();
    assert_eq!(stage.row().cart.pieces(), 3);
}

#[tokio::test(start_paused = true)]
async fn another_carts_order_under_the_same_key_opens_nothing() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 2)).await.unwrap();
    send(&cart, None, Command::Freeze { key: key("k") }).await.unwrap();
    stage.order_placed(&key("k"), CartId(8));
    assert!(view(&cart).await.unwrap().cart.freeze.is_some());
}

#[tokio::test(start_paused = true)]
async fn edits_wait_for_the_lease_and_a_checkout_is_joined_or_given_up_by_its_key() {
    let (stage, cart) = awake().await;
    send(&cart, 1, add(1, 2)).await.unwrap();
    let first = send(&cart, None, Command::Freeze { key: key("k") }).await.unwrap();
    let joined = send(&cart, None, Command::Freeze { key: key("k") }).await.unwrap();
    assert_eq!(first.version, joined.version);
    let refused = send(&cart, 2, add(1, 1)).await.unwrap_err();
    assert!(matches!(refused, CartFailure::Refused(CartError::Frozen { .. })));
    send(&cart, None, Command::Thaw { key: key("k") }).await.unwrap();
    send(&cart, 2, add(1, 1)).await.unwrap();

    send(&cart, None, Command::Freeze { key: key("l") }).await.unwrap();
    *stage.now.lock().unwrap() = i64::try_from(FREEZE_LEASE.as_millis()).unwrap();
    send(&cart, 3, add(1, 1)).await.unwrap();
    assert_eq!((stage.row().cart.pieces(), stage.row().cart.freeze), (4, None));
}
