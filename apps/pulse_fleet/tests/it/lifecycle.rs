//! Carts start on first use, sleep, wake, crash and come back.

use std::time::Duration;

use pulse_core::CartId;
use pulse_core::cart::Limits;
use pulse_core::ports::StoreError;
use pulse_fleet::{FleetError, FleetOptions};

use crate::shop::{Shop, Weather, add, id};

const CART: CartId = CartId(7);

#[tokio::test(start_paused = true)]
async fn a_cart_starts_on_its_first_use_and_wakes_with_all_that_it_had() {
    let shop = Shop::new();
    let fleet = shop.fleet(FleetOptions::default()).await;
    assert!(!fleet.is_awake(CART));
    fleet.command(CART, id(1), add(1), Limits::BUYER).await.unwrap();
    assert!(fleet.is_awake(CART));
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!(!fleet.is_awake(CART));
    assert_eq!(fleet.stats().awake, 0);
    assert_eq!(fleet.view(CART).await.unwrap().cart.pieces(), 1);
    let stats = fleet.stats();
    assert_eq!((stats.started, stats.awake, stats.carts.slept), (2, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_at_once_start_one_server() {
    let shop = Shop::new();
    shop.weather(Weather { yields: 2, ..Weather::default() });
    let fleet = shop.fleet(FleetOptions::default()).await;
    for round in 0..100_u64 {
        let cart = CartId(round.into());
        let calls = (0..16).map(|n| {
            let fleet = fleet.clone();
            tokio::spawn(async move { fleet.command(cart, id(n), add(n % 5), Limits::BUYER).await })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().unwrap();
        }
        assert_eq!(fleet.stats().started, round + 1);
        assert_eq!(shop.row(cart).cart.pieces(), 16);
    }
}

#[tokio::test(start_paused = true)]
async fn no_message_is_lost_between_sleeping_and_waking() {
    let shop = Shop::new();
    let idle = Duration::from_millis(10);
    let fleet = shop.fleet(FleetOptions { idle, ..FleetOptions::default() }).await;
    for n in 0..2_000_u64 {
        // Gaps around the idle time, so that many a message meets a cart that is falling asleep.
        tokio::time::sleep(Duration::from_micros(8_000 + shop.roll() % 4_000)).await;
        fleet.command(CART, id(n), add(n % 5), Limits::TRADE).await.unwrap();
    }
    assert_eq!(shop.row(CART).cart.pieces(), 2_000);
    let stats = fleet.stats();
    assert!(stats.carts.slept > 100, "the test is about carts that sleep: {stats:?}");
    assert_eq!(stats.crashed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_an_error_and_not_a_crash() {
    let shop = Shop::new();
    shop.weather(Weather { load_fails: 1000, ..Weather::default() });
    let fleet = shop.fleet(FleetOptions::default()).await;
    for n in 0..10 {
        let answer = fleet.command(CART, id(n), add(1), Limits::BUYER).await;
        assert!(matches!(answer, Err(FleetError::Store(StoreError::Unavailable(_)))));
    }
    shop.weather(Weather::default());
    fleet.command(CART, id(0), add(1), Limits::BUYER).await.unwrap();
    assert_eq!((fleet.stats().started, fleet.stats().crashed), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_crash_with_the_command_in_its_hands_is_an_unknown_outcome_that_a_repeat_settles() {
    let shop = Shop::new();
    let fleet = shop.fleet(FleetOptions::default()).await;
    fleet.command(CART, id(1), add(1), Limits::BUYER).await.unwrap();
    shop.weather(Weather { panics: 1000, ..Weather::default() });
    let answer = fleet.command(CART, id(2), add(1), Limits::BUYER).await;
    assert_eq!(answer.unwrap_err(), FleetError::Crashed);
    shop.weather(Weather::default());
    fleet.command(CART, id(2), add(1), Limits::BUYER).await.unwrap();
    fleet.command(CART, id(2), add(1), Limits::BUYER).await.unwrap();
    assert_eq!(shop.row(CART).cart.pieces(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cart_that_crashes_again_and_again_is_left_alone_and_no_other() {
    let shop = Shop::new();
    let fleet = shop.fleet(FleetOptions::default()).await;
    let crash = Weather { panics: 1000, ..Weather::default() };
    let mut waits = Vec::new();
    for n in 0..12 {
        shop.weather(crash);
        match fleet.command(CART, id(n), add(1), Limits::BUYER).await.unwrap_err() {
            FleetError::Overloaded { retry_after } => {
                waits.push(retry_after.as_millis());
                shop.weather(Weather::default());
                fleet.command(CartId(8), id(n), add(1), Limits::BUYER).await.unwrap();
                tokio::time::sleep(retry_after).await;
            }
            FleetError::Crashed => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(waits, [100, 200, 400, 800, 1_600]);
    assert_eq!(fleet.stats().backing_off, 1);
    shop.weather(Weather::default());
    tokio::time::sleep(Duration::from_mins(1)).await;
    fleet.command(CART, id(99), add(1), Limits::BUYER).await.unwrap();
    assert_eq!(fleet.stats().backing_off, 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_not_waited_for_without_end_and_is_no_crash_of_the_cart() {
    let shop = Shop::new();
    shop.weather(Weather { delay: Duration::from_hours(1), ..Weather::default() });
    let fleet = shop.fleet(FleetOptions::default()).await;
    for n in 0..5 {
        let answer = fleet.command(CART, id(n), add(1), Limits::BUYER).await;
        assert_eq!(answer.unwrap_err(), FleetError::Crashed);
    }
    assert_eq!((fleet.stats().crashed, fleet.stats().backing_off), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_is_dropped_leaves_nothing_behind() {
    let shop = Shop::new();
    let fleet = shop.fleet(FleetOptions::default()).await;
    for cart in 0..50 {
        fleet.view(CartId(cart)).await.unwrap();
    }
    drop(fleet);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(std::sync::Arc::strong_count(&shop), 1);
}

#[tokio::test(start_paused = true)]
async fn shutdown_answers_what_is_under_way_and_takes_nothing_more() {
    let shop = Shop::new();
    shop.weather(Weather { delay: Duration::from_secs(1), ..Weather::default() });
    let fleet = shop.fleet(FleetOptions::default()).await;
    let calls: Vec<_> = (0..20_u64)
        .map(|n| {
            let fleet = fleet.clone();
            tokio::spawn(async move { fleet.command(CartId(n.into()), id(n), add(1), Limits::BUYER).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let shutdown = tokio::spawn({
        let fleet = fleet.clone();
        async move { fleet.shutdown(Duration::from_secs(10)).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let late = fleet.command(CartId(99), id(1), add(1), Limits::BUYER).await;
    assert!(matches!(late, Err(FleetError::Overloaded { .. })));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(shutdown.await.unwrap());
    assert_eq!(fleet.stats().awake, 0);
    assert_eq!(shop.tables().rows.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_a_hanging_store_without_end() {
    let shop = Shop::new();
    shop.weather(Weather { delay: Duration::from_hours(9), ..Weather::default() });
    let options = FleetOptions { patience: Duration::from_hours(9), ..FleetOptions::default() };
    let fleet = shop.fleet(options).await;
    let call = tokio::spawn({
        let fleet = fleet.clone();
        async move { fleet.command(CART, id(1), add(1), Limits::BUYER).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!fleet.shutdown(Duration::from_secs(3)).await);
    assert_eq!(call.await.unwrap().unwrap_err(), FleetError::Crashed);
}
