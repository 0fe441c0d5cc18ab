//! Carts are killed while commands run, the store fails, two fleets own the same carts: nothing is lost or doubled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pulse_core::cart::Limits;
use pulse_core::ports::StoreError;
use pulse_core::{CartId, CommandId, Principal};
use pulse_fleet::{Fleet, FleetError, FleetOptions, ShopError};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::shop::{Shop, Weather, add, checkout, id, pieces, sku};

const CARTS: u64 = 20;

/// Repeats a command under its id until the answer is certain.
async fn until_certain(fleet: &Fleet, cart: CartId, n: u64, product: u64) {
    loop {
        match fleet.command(cart, id(n), add(product), Limits::TRADE).await {
            Ok(_) => return,
            Err(FleetError::Crashed | FleetError::Store(StoreError::Unavailable(_))) => {}
            Err(FleetError::Overloaded { retry_after }) => {
                tokio::time::sleep(retry_after.min(Duration::from_millis(5))).await;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// Kills carts at random until it is told to stop; says how many.
fn killer(shop: &Arc<Shop>, fleets: &[Fleet]) -> (Arc<AtomicBool>, tokio::task::JoinHandle<u64>) {
    let over = Arc::new(AtomicBool::new(false));
    let (shop, fleets, stopped) = (shop.clone(), fleets.to_vec(), over.clone());
    let task = tokio::spawn(async move {
        let mut died = 0;
        while !stopped.load(Ordering::Relaxed) {
            for fleet in &fleets {
                died += u64::from(fleet.kill(CartId((shop.roll() % CARTS).into())));
            }
            for _ in 0..shop.roll() % 8 {
                tokio::task::yield_now().await;
            }
        }
        died
    });
    (over, task)
}

/// Buyers put pieces into all carts, each command through one of the fleets; then the rows are counted.
///
/// A cart remembers its last 32 commands. Buyers go round the carts in step, so between a command's first try and
/// its last one no more than two rounds of the others pass: fewer than 32, however long a thread is held up.
async fn storm(shop: Arc<Shop>, fleets: Vec<Fleet>, rounds: u64) {
    let (over, kills) = killer(&shop, &fleets);
    let step = Arc::new(Barrier::new(8));
    let mut buyers = JoinSet::new();
    for buyer in 0..8_u64 {
        let (shop, fleets, step) = (shop.clone(), fleets.clone(), step.clone());
        buyers.spawn(async move {
            for n in 0..rounds {
                if n % CARTS == 0 {
                    step.wait().await;
                }
                let fleet = &fleets[usize::try_from(shop.roll()).unwrap_or(0) % fleets.len()];
                until_certain(fleet, CartId((n % CARTS).into()), buyer << 32 | n, n % 5).await;
            }
        });
    }
    while let Some(done) = buyers.join_next().await {
        done.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    let died = kills.await.unwrap();
    assert!(died > rounds / 4, "only {died} kills");
    for cart in 0..CARTS {
        let row = shop.row(CartId(cart.into()));
        let sent = i64::try_from(8 * rounds / CARTS).unwrap();
        assert_eq!(row.cart.pieces(), sent, "cart {cart}");
        assert_eq!(shop.stores(&row), 8 * rounds / CARTS, "each command was stored once");
    }
}

fn gale() -> Weather {
    Weather { load_fails: 20, lost: 30, unanswered: 30, panics: 3, yields: 2, ..Weather::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_carts_lose_nothing_that_was_acknowledged() {
    let shop = Shop::new();
    shop.weather(Weather { yields: 2, ..Weather::default() });
    let fleet = shop.fleet(FleetOptions::default()).await;
    storm(shop, vec![fleet], 1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_carts_over_a_failing_store_lose_and_double_nothing() {
    let shop = Shop::new();
    shop.weather(gale());
    let fleet = shop.fleet(FleetOptions { max_awake: 12, ..FleetOptions::default() }).await;
    storm(shop, vec![fleet], 600).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_fleets_that_own_the_same_carts_lose_and_double_nothing() {
    let shop = Shop::new();
    shop.weather(Weather { unanswered: 20, lost: 20, yields: 2, ..Weather::default() });
    let fleets = vec![shop.fleet(FleetOptions::default()).await, shop.fleet(FleetOptions::default()).await];
    storm(shop, fleets, 400).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_storm_no_place_is_taken_by_a_cart_that_is_gone() {
    let shop = Shop::new();
    shop.weather(gale());
    let idle = Duration::from_millis(50);
    let fleet = shop.fleet(FleetOptions { idle, ..FleetOptions::default() }).await;
    storm(shop, vec![fleet.clone()], 200).await;
    tokio::time::timeout(Duration::from_mins(1), async {
        while fleet.stats().awake > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(fleet.stats().in_flight, 0);
}

/// Buyers fill and check out the same carts at once while carts are killed: every piece that was put in was sold
/// once or is still there. They go in step, so that no cart forgets a command that is still being tried.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_piece_is_sold_once_or_still_in_its_cart() {
    let shop = Shop::new();
    shop.weather(Weather { panics: 0, ..gale() });
    let door = shop.door(FleetOptions::default()).await;
    let (over, kills) = killer(&shop, &[door.fleet().clone()]);
    let step = Arc::new(Barrier::new(6));
    let mut buyers = JoinSet::new();
    for buyer in 0..6_u64 {
        let (shop, door, step) = (shop.clone(), door.clone(), step.clone());
        buyers.spawn(async move {
            let mut put_in = 0;
            for n in 0..300_u64 {
                step.wait().await;
                let cart = CartId((shop.roll() % 4).into());
                let command = CommandId(buyer << 32 | n);
                if n % 4 == 3 {
                    // Tried a few times; whether it got through does not matter here.
                    for _ in 0..3 {
                        let _ =
                            door.checkout(&Principal::Guest, cart, checkout(&format!("{buyer}-{n}"))).await;
                    }
                    continue;
                }
                loop {
                    match door.add(&Principal::Guest, cart, command, sku(n % 3), pieces(1)).await {
                        Ok(_) => {
                            put_in += 1;
                            break;
                        }
                        Err(ShopError::Cart(_)) => {
                            // Frozen by a checkout that nobody ends: time passes.
                            shop.later(Duration::from_secs(1));
                            tokio::task::yield_now().await;
                        }
                        Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                }
            }
            put_in
        });
    }
    let mut put_in = 0;
    while let Some(done) = buyers.join_next().await {
        put_in += done.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    assert!(kills.await.unwrap() > 100);
    let tables = shop.tables();
    let left: i64 = tables.rows.values().map(|row| row.cart.pieces()).sum();
    let sold: i64 = tables.sold.values().sum();
    assert_eq!(put_in, left + sold);
    assert!(tables.orders.len() > 20 && sold > 100, "{} orders, {sold} sold", tables.orders.len());
}
