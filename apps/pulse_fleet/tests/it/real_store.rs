//! The fleet over the real store, on both databases: carts are killed while commands run, and what was acknowledged
//! is there when the database is opened anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pulse_core::cart::Limits;
use pulse_core::ports::CartStore as _;
use pulse_core::{CartId, Principal};
use pulse_data::carts::{Carts, GuestCarts};
use pulse_data::testing::Database;
use pulse_data::{Backend, Repo, db_test};
use pulse_fleet::{Fleet, FleetError, FleetOptions, FleetPorts};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::shop::{Shop, add, id};

const CARTS: u64 = 12;
const BUYERS: u64 = 6;
const EACH: u64 = 120;

async fn fleet(repo: &Repo, shop: &Arc<Shop>) -> Fleet {
    let store = Arc::new(Carts::new(repo));
    let ports = FleetPorts {
        store,
        orders: shop.clone(),
        clock: shop.clone(),
        bus: Arc::new(pulse_core::ports::NoBus),
    };
    Fleet::start(ports, FleetOptions { max_awake: 8, ..FleetOptions::default() }).await.unwrap()
}

/// Buyers go round the carts in step, so that no cart forgets a command that is still being tried.
async fn buyer(fleet: Fleet, buyer: u64, step: Arc<Barrier>) {
    for n in 0..EACH {
        if n % CARTS == 0 {
            step.wait().await;
        }
        loop {
            let command = id(buyer << 32 | n);
            match fleet.command(CartId((n % CARTS).into()), command, add(n % 5), Limits::TRADE).await {
                Ok(_) => break,
                Err(FleetError::Crashed | FleetError::Overloaded { .. }) => {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}

/// Buyers through as many fleets as owners on one database, while carts are killed.
async fn killed(backend: Backend, owners: usize) {
    let database = Database::create(backend).await;
    let shop = Shop::new();
    let mut repos = Vec::new();
    let mut fleets = Vec::new();
    for _ in 0..owners {
        let repo = database.repo().await;
        fleets.push(fleet(&repo, &shop).await);
        repos.push(repo);
    }
    let over = Arc::new(AtomicBool::new(false));
    let killer = tokio::spawn({
        let (fleets, shop, over) = (fleets.clone(), shop.clone(), over.clone());
        async move {
            let mut died = 0_u64;
            while !over.load(Ordering::Relaxed) {
                for fleet in &fleets {
                    died += u64::from(fleet.kill(CartId((shop.roll() % CARTS).into())));
                }
                tokio::time::sleep(Duration::from_micros(500 + shop.roll() % 2_000)).await;
            }
            died
        }
    });
    let step = Arc::new(Barrier::new(usize::try_from(BUYERS).unwrap()));
    let mut buyers = JoinSet::new();
    for (n, fleet) in (0..BUYERS).zip(fleets.iter().cycle()) {
        buyers.spawn(buyer(fleet.clone(), n, step.clone()));
    }
    while let Some(done) = buyers.join_next().await {
        done.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    assert!(killer.await.unwrap() > 20);
    for fleet in fleets {
        assert!(fleet.shutdown(Duration::from_secs(10)).await);
    }
    for repo in repos {
        repo.close().await;
    }

    let repo = database.repo().await;
    let store = Carts::new(&repo);
    for cart in 0..CARTS {
        let row = store.load(CartId(cart.into())).await.unwrap().unwrap();
        let sent = BUYERS * EACH / CARTS;
        assert_eq!(row.cart.pieces(), i64::try_from(sent).unwrap(), "cart {cart}");
        assert_eq!(shop.stores(&row), sent, "each command was stored once");
    }
    drop(store);
    repo.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_carts_lose_nothing_on_sqlite() {
    killed(Backend::Sqlite, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_carts_lose_nothing_on_postgres() {
    killed(Backend::Postgres, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_lose_and_double_nothing_on_sqlite() {
    killed(Backend::Sqlite, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_lose_and_double_nothing_on_postgres() {
    killed(Backend::Postgres, 2).await;
}

db_test!(a_cart_that_is_awake_while_its_row_is_deleted_keeps_what_comes_after, |repo| async move {
    let shop = Shop::new();
    let (awake, asleep) = (CartId(1), CartId(2));
    let fleets = [fleet(&repo, &shop).await, fleet(&repo, &shop).await];
    for cart in [awake, asleep] {
        fleets[0].command(cart, id(1), add(1), Limits::BUYER).await.unwrap();
    }
    fleets[0].put_to_sleep(asleep).await;
    let guests = GuestCarts::new(repo.clone(), shop.clone());
    let month = Duration::from_hours(30 * 24);
    for gone in [0, 2] {
        let mut sweep = guests.sweep(&Principal::System("test"), month).await.unwrap();
        assert_eq!(sweep.page().await.unwrap(), Some(gone));
        shop.later(month);
    }
    // The one that is awake shows what it remembers, the other one what is there.
    let seen = async |cart| fleets[0].view(cart).await.unwrap().cart.pieces();
    assert_eq!((seen(awake).await, seen(asleep).await), (1, 0));
    // Another node is used first: the one that remembers the old row must not overwrite what it stores.
    for cart in [awake, asleep] {
        for (n, fleet) in fleets.iter().rev().enumerate() {
            let n = u64::try_from(n).unwrap();
            fleet.command(cart, id(2 + n), add(2 + n), Limits::BUYER).await.unwrap();
        }
        let row = Carts::new(&repo).load(cart).await.unwrap().unwrap();
        let skus: Vec<_> = row.cart.lines.iter().map(|line| line.sku).collect();
        assert_eq!(skus, [crate::shop::sku(2), crate::shop::sku(3)], "{cart}");
        assert_eq!(*fleets[0].view(cart).await.unwrap(), row);
    }
    for fleet in fleets {
        assert!(fleet.shutdown(Duration::from_secs(10)).await);
    }
});
