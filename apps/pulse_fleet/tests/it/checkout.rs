//! One key, one order: repeated, raced, refused, cut off, or with a store that does not answer.

use std::time::Duration;

use pulse_core::cart::CartError;
use pulse_core::ports::{PlaceError, StoreError};
use pulse_core::{CartId, CommandId, Money, Principal, UserId};
use pulse_fleet::{Checkout, FleetOptions, FrontDoor, ShopError};

use crate::shop::{Shop, Weather, checkout, pieces, sku};

const CART: CartId = CartId(7);
const GUEST: Principal = Principal::Guest;

async fn fill(door: &FrontDoor, cart: CartId, n: u64) {
    door.add(&GUEST, cart, CommandId(n), sku(n), pieces(2)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_sells_the_lines_and_leaves_an_open_empty_cart() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions::default()).await;
    fill(&door, CART, 1).await;
    let order = door.checkout(&GUEST, CART, checkout("k")).await.unwrap();
    assert_eq!((order.total, order.cart), (Money::gbp(500), CART));
    let view = door.view(CART).await.unwrap();
    assert!(view.cart.cart.lines.is_empty() && view.cart.cart.freeze.is_none());
    fill(&door, CART, 2).await;
    assert_eq!(door.view(CART).await.unwrap().cart.cart.pieces(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_answers_the_same_order_and_touches_nothing() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions::default()).await;
    fill(&door, CART, 1).await;
    let first = door.checkout(&GUEST, CART, checkout("k")).await.unwrap();
    fill(&door, CART, 2).await;
    assert_eq!(door.checkout(&GUEST, CART, checkout("k")).await.unwrap(), first);
    assert_eq!(door.view(CART).await.unwrap().cart.cart.pieces(), 2);
    assert_eq!(shop.tables().orders.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn repeats_at_once_all_come_to_the_same_order() {
    let shop = Shop::new();
    shop.weather(Weather { yields: 3, ..Weather::default() });
    let door = shop.door(FleetOptions::default()).await;
    for round in 0..100_u128 {
        let cart = CartId(round);
        fill(&door, cart, 1).await;
        let clicks: Vec<_> = (0..4)
            .map(|_| {
                let door = door.clone();
                tokio::spawn(async move { door.checkout(&GUEST, cart, checkout(&format!("k{round}"))).await })
            })
            .collect();
        let mut orders = Vec::new();
        for click in clicks {
            orders.push(click.await.unwrap().unwrap());
        }
        orders.dedup();
        assert_eq!(orders.len(), 1);
        assert!(door.view(cart).await.unwrap().cart.cart.freeze.is_none());
    }
    assert_eq!(shop.tables().orders.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checkouts_of_one_cart_under_different_keys_sell_it_once() {
    let shop = Shop::new();
    shop.weather(Weather { yields: 3, ..Weather::default() });
    let door = shop.door(FleetOptions::default()).await;
    for round in 0..100_u128 {
        let cart = CartId(round);
        fill(&door, cart, 1).await;
        let clicks: Vec<_> = (0..3)
            .map(|n| {
                let door = door.clone();
                tokio::spawn(
                    async move { door.checkout(&GUEST, cart, checkout(&format!("k{round}-{n}"))).await },
                )
            })
            .collect();
        for click in clicks {
            let _ = click.await.unwrap();
        }
        let sold: i64 = shop.tables().sold.iter().filter(|((of, _), _)| *of == cart).map(|(_, n)| n).sum();
        let left = door.view(cart).await.unwrap().cart.cart.pieces();
        assert_eq!(sold + left, 2, "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_is_missing_and_opens_the_cart_again() {
    let shop = Shop::new();
    shop.tables().stock.insert(sku(1), 1);
    let door = shop.door(FleetOptions::default()).await;
    fill(&door, CART, 1).await;
    let refused = door.checkout(&GUEST, CART, checkout("k")).await.unwrap_err();
    let ShopError::Place(PlaceError::OutOfStock(short)) = refused else { panic!("{refused}") };
    assert_eq!((short[0].wanted, short[0].left), (2, 1));
    let view = door.view(CART).await.unwrap();
    assert!(view.cart.cart.freeze.is_none());
    fill(&door, CART, 2).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_cart_and_a_key_of_somebody_else() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions::default()).await;
    let empty = door.checkout(&GUEST, CART, checkout("k")).await;
    assert_eq!(empty.unwrap_err(), ShopError::Cart(CartError::Empty));
    fill(&door, CART, 1).await;
    door.checkout(&GUEST, CART, checkout("k")).await.unwrap();
    fill(&door, CartId(8), 1).await;
    let reused = door.checkout(&GUEST, CartId(8), checkout("k")).await;
    assert_eq!(reused.unwrap_err(), ShopError::Place(PlaceError::KeyReused));
    let other = Checkout { buyer: Some(UserId(1)), ..checkout("k") };
    let reused = door.checkout(&GUEST, CART, other).await;
    assert_eq!(reused.unwrap_err(), ShopError::Place(PlaceError::KeyReused));
    assert!(door.view(CartId(8)).await.unwrap().cart.cart.freeze.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_places_and_does_not_answer_has_placed() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions::default()).await;
    fill(&door, CART, 1).await;
    // The freeze is written and unanswered too: the first try ends there, and the repeat goes on.
    shop.weather(Weather { unanswered: 1000, ..Weather::default() });
    let first = door.checkout(&GUEST, CART, checkout("k")).await;
    assert!(matches!(first, Err(ShopError::Store(StoreError::Unavailable(_)))), "{first:?}");
    shop.weather(Weather::default());
    let order = door.checkout(&GUEST, CART, checkout("k")).await.unwrap();
    assert_eq!(shop.tables().orders.len(), 1);
    assert_eq!(shop.tables().orders.values().next().cloned(), Some(order));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_cut_the_checkout() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions::default()).await;
    fill(&door, CART, 1).await;
    shop.weather(Weather { delay: Duration::from_secs(1), ..Weather::default() });
    let cut = tokio::time::timeout(Duration::from_millis(2_500), door.checkout(&GUEST, CART, checkout("k")));
    assert!(cut.await.is_err());
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(shop.tables().orders.len(), 1);
    assert!(door.view(CART).await.unwrap().cart.cart.lines.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slow_checkout_whose_lease_is_over_sells_nothing_that_was_edited_since() {
    let shop = Shop::new();
    let door = shop.door(FleetOptions { patience: Duration::from_hours(1), ..FleetOptions::default() }).await;
    fill(&door, CART, 1).await;
    let other_node = shop.door(FleetOptions::default()).await;
    shop.weather(Weather { delay: Duration::from_secs(5), ..Weather::default() });
    let slow = tokio::spawn({
        let door = door.clone();
        async move { door.checkout(&GUEST, CART, checkout("k")).await }
    });
    // find 5 s, save 10 s: now the place is under way.
    tokio::time::sleep(Duration::from_secs(17)).await;
    assert!(shop.row(CART).cart.freeze.is_some());
    shop.weather(Weather::default());
    let early = other_node.add(&GUEST, CART, CommandId(2), sku(2), pieces(1)).await;
    assert!(matches!(early, Err(ShopError::Cart(CartError::Frozen { .. }))));
    shop.later(Duration::from_mins(2));
    other_node.add(&GUEST, CART, CommandId(2), sku(2), pieces(1)).await.unwrap();
    assert_eq!(slow.await.unwrap().unwrap_err(), ShopError::Place(PlaceError::CartChanged));
    assert_eq!(door.view(CART).await.unwrap().cart.cart.pieces(), 3);
}
