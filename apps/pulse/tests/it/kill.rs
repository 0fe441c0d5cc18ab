//! kill -9 under load: what the shop acknowledged is there, once; what it did not may be repeated safely.
//!
//! Shoppers fill carts and buy over HTTP while the server is killed at random points and started again. Each keeps a log of
//! its own of what was acknowledged; a request whose answer did not come is repeated under the same key until one
//! does. At the end the shop is compared with the logs. `PULSE_SOAK_ROUNDS` sets the rounds, five by default.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pulse_data::{Backend, Repo, RepoOptions, Sql as _};
use serde_json::{Value, json};

use crate::http::{Answer, Jar, get};
use crate::life::address;
use crate::program::{Place, on_both};

pub(crate) const SHOPPERS: u64 = 8;

/// No machine is so loaded that nothing is acknowledged for so long.
pub(crate) const STUCK: Duration = Duration::from_mins(2);

on_both! {
    soak_nothing_acknowledged_is_lost_or_doubled_by_kill_9 => soak;
}

/// `SplitMix64`: drawn from a seed that is printed, so that a failure can be looked at again.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// Where the server is now, and whether to go on.
pub(crate) struct World {
    pub(crate) shop: Mutex<SocketAddr>,
    pub(crate) over: AtomicBool,
    acknowledged: AtomicU64,
    repeated: AtomicU64,
    /// The last answer that was none, for whoever looks at a failure.
    refused: Mutex<String>,
}

/// A cart as its shopper knows it: every change in here was acknowledged.
pub(crate) struct Known {
    jar: Jar,
    pieces: BTreeMap<String, i64>,
    order: Option<i64>,
}

impl World {
    pub(crate) fn at(shop: SocketAddr) -> Self {
        Self {
            shop: Mutex::new(shop),
            over: AtomicBool::new(false),
            acknowledged: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            refused: Mutex::default(),
        }
    }

    /// Sends a change until it is answered; the same key each time.
    fn insist(&self, jar: &mut Jar, path: &str, key: &str, body: &Value) -> Answer {
        let mut tries = 0_u64;
        loop {
            let shop = *self.shop.lock().unwrap();
            let answer: io::Result<Answer> = jar.post(shop, path, key, body);
            match answer {
                // 503: the outcome may be unknown; 429: too fast. Both say "again".
                Ok(answer) if answer.status != 503 && answer.status != 429 => {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    self.repeated.fetch_add(u64::from(tries > 0), Ordering::Relaxed);
                    return answer;
                }
                refused => {
                    *self.refused.lock().unwrap() = format!("{path} {key}: {refused:?}");
                    tries += 1;
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        }
    }

    /// One shopper's life: cart after cart, until it is over.
    pub(crate) fn shop(&self, number: u64, seed: u64, goods: &[String]) -> Vec<Known> {
        let mut dice = Dice(seed ^ number.wrapping_mul(0x1234_5678_9abc_def1));
        let mut carts = Vec::new();
        let mut change = 0_u64;
        while !self.over.load(Ordering::Relaxed) {
            let mut known = Known { jar: Jar::default(), pieces: BTreeMap::new(), order: None };
            for _ in 0..=dice.roll(4) {
                let sku = &goods[usize::try_from(dice.roll(goods.len() as u64)).unwrap()];
                let quantity = i64::try_from(dice.roll(3)).unwrap() + 1;
                change += 1;
                let body = json!({ "sku": sku, "quantity": quantity });
                let answer =
                    self.insist(&mut known.jar, "/api/v1/cart/lines", &format!("s{number}-{change}"), &body);
                assert_eq!(answer.status, 200, "{answer:?}");
                *known.pieces.entry(sku.clone()).or_default() += quantity;
            }
            if dice.roll(4) > 0 {
                change += 1;
                let answer = self.insist(
                    &mut known.jar,
                    "/api/v1/checkout",
                    &format!("s{number}-{change}"),
                    &address(),
                );
                // Sold out is an answer too: the cart then keeps what is in it.
                if answer.status == 409 {
                    assert!(answer.body.contains("stock"), "{answer:?}");
                } else {
                    assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                    known.order = answer.json()["id"].as_i64();
                    assert!(known.order.is_some(), "{answer:?}");
                }
            }
            carts.push(known);
        }
        carts
    }
}

pub(crate) fn rounds() -> u64 {
    std::env::var("PULSE_SOAK_ROUNDS").ok().map_or(5, |rounds| rounds.parse().unwrap())
}

fn soak(backend: Backend) {
    let seed = u64::from(std::process::id()) ^ std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    eprintln!("seed {seed}");
    let place = Place::new(backend);
    place.run(&["demo", "--products", "12"]).succeeded();
    let mut server = place.serve();
    let goods = stocks(server.shop);
    let names: Vec<String> = goods.keys().cloned().collect();
    let world = Arc::new(World::at(server.shop));
    let shoppers: Vec<_> = (0..SHOPPERS)
        .map(|number| {
            let (world, names) = (Arc::clone(&world), names.clone());
            std::thread::spawn(move || world.shop(number, seed, &names))
        })
        .collect();

    let mut dice = Dice(seed);
    for round in 1..=rounds() {
        // Not a wait for something: the point of the kill is drawn.
        let before = world.acknowledged.load(Ordering::Relaxed);
        std::thread::sleep(Duration::from_micros(dice.roll(400_000)));
        let waiting = std::time::Instant::now();
        while world.acknowledged.load(Ordering::Relaxed) < before + SHOPPERS {
            std::thread::sleep(Duration::from_micros(dice.roll(2_000)));
            let stuck =
                waiting.elapsed() > STUCK || shoppers.iter().any(std::thread::JoinHandle::is_finished);
            assert!(
                !stuck,
                "round {round}: the shop is stuck; last {}\n{}",
                world.refused.lock().unwrap(),
                server.log()
            );
        }
        eprintln!("round {round}: {} acknowledged", world.acknowledged.load(Ordering::Relaxed));
        server.kill();
        server = place.serve();
        *world.shop.lock().unwrap() = server.shop;
    }
    world.over.store(true, Ordering::Relaxed);
    let carts: Vec<Known> = shoppers.into_iter().flat_map(|shopper| shopper.join().unwrap()).collect();

    compare_carts(server.shop, &carts);
    let left = stocks(server.shop);
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    compare_orders(&place, &carts, &goods, &left);
    let verified = place.run(&["audit", "verify"]).succeeded().stdout;
    eprintln!(
        "{} answers, {} of them to repeats, {} carts, {} orders; {}",
        world.acknowledged.load(Ordering::Relaxed),
        world.repeated.load(Ordering::Relaxed),
        carts.len(),
        carts.iter().filter(|cart| cart.order.is_some()).count(),
        verified.trim(),
    );
}

pub(crate) fn stocks(shop: SocketAddr) -> BTreeMap<String, i64> {
    let page = get(shop, "/api/v1/products?limit=100").unwrap().ok().json();
    let stock =
        |product: &Value| (product["sku"].as_str().unwrap().to_owned(), product["stock"].as_i64().unwrap());
    page["items"].as_array().unwrap().iter().map(stock).collect()
}

/// Carts that were not bought hold exactly what was put in; those that were are empty.
fn compare_carts(shop: SocketAddr, carts: &[Known]) {
    for known in carts {
        let cart = known.jar.clone().get(shop, "/api/v1/cart").unwrap().ok().json();
        let mut pieces: BTreeMap<String, i64> = BTreeMap::new();
        for line in cart["lines"].as_array().unwrap() {
            *pieces.entry(line["sku"].as_str().unwrap().to_owned()).or_default() +=
                line["quantity"].as_i64().unwrap();
        }
        let expected = if known.order.is_some() { BTreeMap::new() } else { known.pieces.clone() };
        assert_eq!(pieces, expected, "order {:?}", known.order);
    }
}

/// There are exactly the acknowledged orders, with exactly the acknowledged pieces; stock is what they leave.
fn compare_orders(
    place: &Place,
    carts: &[Known],
    before: &BTreeMap<String, i64>,
    left: &BTreeMap<String, i64>,
) {
    let mut expected: BTreeMap<i64, BTreeMap<String, i64>> = BTreeMap::new();
    for known in carts {
        if let Some(order) = known.order {
            assert!(
                expected.insert(order, known.pieces.clone()).is_none(),
                "order {order} was told to two carts"
            );
        }
    }
    let mut stored: BTreeMap<i64, BTreeMap<String, i64>> = BTreeMap::new();
    let mut sold: BTreeMap<String, i64> = BTreeMap::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let repo = Repo::connect(place.url(), RepoOptions::default()).await.unwrap();
        let sql = "SELECT order_id, sku, CAST(sum(quantity) AS BIGINT) AS pieces FROM order_lines GROUP BY order_id, sku";
        let rows = repo.reader().rows(sql, vec![]).await.unwrap();
        repo.close().await;
        rows
    });
    for row in rows {
        let sku: String = row.try_get("", "sku").unwrap();
        let pieces: i64 = row.try_get("", "pieces").unwrap();
        *sold.entry(sku.clone()).or_default() += pieces;
        stored.entry(row.try_get("", "order_id").unwrap()).or_default().insert(sku, pieces);
    }
    assert_eq!(stored, expected, "lost, doubled or changed orders");
    for (sku, before) in before {
        let sold = sold.get(sku).copied().unwrap_or_default();
        assert_eq!(left.get(sku).copied(), Some(before - sold), "stock of {sku}");
    }
}
