//! Every bound has its answer, and the idlest cart makes room first.

use std::time::Duration;

use pulse_core::CartId;
use pulse_core::cart::Limits;
use pulse_fleet::{FleetError, FleetOptions};

use crate::shop::{Shop, Weather, add, id};

fn overloaded(error: &FleetError) -> bool {
    matches!(error, FleetError::Overloaded { retry_after } if *retry_after == Duration::from_secs(1))
}

#[tokio::test(start_paused = true)]
async fn the_cart_that_was_idle_longest_makes_room() {
    let shop = Shop::new();
    let fleet = shop.fleet(FleetOptions { max_awake: 3, ..FleetOptions::default() }).await;
    for cart in [1, 2, 3, 1, 4] {
        fleet.view(CartId(cart)).await.unwrap();
    }
    let awake: Vec<u128> = (1..=4).filter(|cart| fleet.is_awake(CartId(*cart))).collect();
    assert_eq!(awake, [1, 3, 4]);
    assert_eq!((fleet.stats().awake, fleet.stats().evicted), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn many_more_carts_than_may_be_awake_lose_nothing() {
    let shop = Shop::new();
    let fleet = shop.fleet(FleetOptions { max_awake: 10, ..FleetOptions::default() }).await;
    for n in 0..1_000_u64 {
        fleet.command(CartId((n % 100).into()), id(n), add(n % 5), Limits::BUYER).await.unwrap();
        assert!(fleet.stats().awake <= 10);
    }
    for cart in 0..100 {
        assert_eq!(fleet.view(CartId(cart)).await.unwrap().cart.pieces(), 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_bound_holds_while_callers_fight_for_room() {
    let shop = Shop::new();
    shop.weather(Weather { yields: 3, ..Weather::default() });
    let fleet = shop.fleet(FleetOptions { max_awake: 16, ..FleetOptions::default() }).await;
    let callers = (0..8_u64).map(|caller| {
        let (fleet, shop) = (fleet.clone(), shop.clone());
        tokio::spawn(async move {
            for n in 0..400 {
                let cart = CartId((shop.roll() % 200).into());
                fleet.command(cart, id(caller << 32 | n), add(n % 5), Limits::TRADE).await.unwrap();
                assert!(fleet.stats().awake <= 16);
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let all: i64 = shop.tables().rows.values().map(|row| row.cart.pieces()).sum();
    assert_eq!(all, 3_200);
    assert!(fleet.stats().evicted > 100);
}

#[tokio::test(start_paused = true)]
async fn where_no_cart_is_idle_a_new_one_is_turned_away_and_comes_in_later() {
    let shop = Shop::new();
    shop.weather(Weather { delay: Duration::from_secs(1), ..Weather::default() });
    let fleet = shop.fleet(FleetOptions { max_awake: 3, ..FleetOptions::default() }).await;
    let busy: Vec<_> = (0..3_u64)
        .map(|n| {
            let fleet = fleet.clone();
            tokio::spawn(async move { fleet.command(CartId(n.into()), id(n), add(1), Limits::BUYER).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(overloaded(&fleet.view(CartId(9)).await.unwrap_err()));
    assert!(fleet.view(CartId(1)).await.is_ok(), "one that is awake is still answered");
    for call in busy {
        call.await.unwrap().unwrap();
    }
    assert!(fleet.view(CartId(9)).await.is_ok());
    assert_eq!(fleet.stats().overloaded, 1);
}

#[tokio::test(start_paused = true)]
async fn calls_under_way_are_bounded() {
    let shop = Shop::new();
    shop.weather(Weather { delay: Duration::from_secs(1), ..Weather::default() });
    let fleet = shop.fleet(FleetOptions { max_in_flight: 2, ..FleetOptions::default() }).await;
    let busy: Vec<_> = (0..2_u128)
        .map(|n| {
            let fleet = fleet.clone();
            tokio::spawn(async move { fleet.view(CartId(n)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(fleet.stats().in_flight, 2);
    assert!(overloaded(&fleet.view(CartId(0)).await.unwrap_err()));
    for call in busy {
        call.await.unwrap().unwrap();
    }
    assert_eq!(fleet.stats().in_flight, 0);
    assert!(fleet.view(CartId(0)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn messages_that_wait_for_one_cart_are_bounded() {
    let shop = Shop::new();
    shop.weather(Weather { delay: Duration::from_secs(1), ..Weather::default() });
    let options = FleetOptions { mailbox: 2, patience: Duration::from_mins(1), ..FleetOptions::default() };
    let fleet = shop.fleet(options).await;
    let calls: Vec<_> = (0..10_u64)
        .map(|n| {
            let fleet = fleet.clone();
            tokio::spawn(async move { fleet.command(CartId(1), id(n), add(1), Limits::BUYER).await })
        })
        .collect();
    let mut done = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(overloaded(&error), "{error}"),
        }
    }
    assert_eq!(shop.row(CartId(1)).cart.pieces(), done);
    assert!((2..=4).contains(&done), "{done}");
}
