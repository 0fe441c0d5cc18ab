//! Checkouts beside a feed: how long they take while nothing is fed, while a feed runs, and after it.
//!
//! Buyers check out three lines each, and think a little between two orders, so that what is measured is waiting and not a
//! queue of one's own making. Their goods are among those that the feed moves. `PULSE_BENCH_SECONDS` (5) is the length of
//! each quiet stretch; the busy one lasts as long as the feed, which is fed file after file for the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use pulse_core::cart::{Basis, Line, Price};
use pulse_core::order::{Channel, PaymentMethod, PlaceOrder};
use pulse_core::pricing::{VatRate, price};
use pulse_core::{CartId, CheckoutKey, Money, Principal, Quantity, Sku, Timestamp, Version};
use pulse_data::feeds::Kind;
use pulse_data::orders::Orders;
use pulse_data::{DbError, Sql as _};
use pulse_ingest::feed::{FeedProgress, feed_file};

use super::Bench;

const BUYERS: u64 = 4;
const THINK: Duration = Duration::from_millis(10);

pub(crate) async fn measure(bench: &Bench<'_>) {
    let seconds = std::env::var("PULSE_BENCH_SECONDS").ok().map_or(5, |text| text.parse().unwrap());
    let (time, goods) = (Duration::from_secs(seconds), open(bench).await);
    let mut round = 0;
    let mut stretch = async |busy: bool| {
        round += 1;
        let (stop, start) = (Arc::new(AtomicBool::new(false)), Instant::now());
        let buyers: Vec<_> = (1..=BUYERS)
            .map(|buyer| {
                let (orders, stop) = (bench.shop.orders.clone(), Arc::clone(&stop));
                tokio::spawn(buy(orders, stop, goods.clone(), round * 100 + buyer))
            })
            .collect();
        let progress = Arc::new(FeedProgress::default());
        if busy {
            let (rooms, mut seed) = (bench.rooms(), 200);
            while start.elapsed() < time {
                seed += 1;
                let path = bench.file(Kind::Stock, seed, bench.rows);
                let options = bench.options();
                let ending = async {
                    tokio::time::sleep_until((start + time).into()).await;
                    options.stop.cancel();
                };
                tokio::select! {
                    biased;
                    fed = feed_file(&rooms, &path, &options, &progress, 0) => drop(fed.unwrap()),
                    () = async { ending.await; std::future::pending::<()>().await } => {}
                }
                std::fs::remove_file(path).unwrap();
            }
        } else {
            tokio::time::sleep(time).await;
        }
        let rows = progress.look().counts.rows();
        let took = start.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for buyer in buyers {
            times.extend(buyer.await.unwrap());
        }
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        println!(
            "{:?} checkout, {}: {} orders, p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms | {:.0} rows/s fed",
            bench.backend,
            if busy { "a feed beside it" } else { "nothing fed" },
            times.len(),
            at(50),
            at(99),
            at(100),
            rows as f64 / took
        );
    };
    for busy in [false, true, false, true] {
        stretch(busy).await;
    }
}

/// A stored cart for each buyer of each stretch, and goods to buy.
async fn open(bench: &Bench<'_>) -> Arc<Vec<Sku>> {
    let write = bench.repo.write_with((), |tx, ()| {
        async move {
            for buyer in (1..=4).flat_map(|round| (1..=BUYERS).map(move |buyer| round * 100 + buyer)) {
                let sql = "INSERT INTO carts (id, version, currency, body, recent) VALUES ($1, 1, 'GBP', '{\"l\":[]}', '')";
                tx.exec(sql, vec![CartId(u128::from(buyer)).to_string().into()]).await?;
            }
            tx.exec("UPDATE products SET stock = stock + 1000000000 WHERE stock < 1000000", vec![]).await?;
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await.unwrap();
    let rows =
        bench.repo.reader().rows("SELECT sku FROM products ORDER BY sku LIMIT 5000", vec![]).await.unwrap();
    let sku = |row: &sea_orm::QueryResult| Sku::new(&row.try_get_by_index::<String>(0).unwrap()).unwrap();
    Arc::new(rows.iter().map(sku).collect())
}

/// Orders until it is told to stop; how long each took.
async fn buy(orders: Orders, stop: Arc<AtomicBool>, goods: Arc<Vec<Sku>>, buyer: u64) -> Vec<Duration> {
    let (mut times, mut version) = (Vec::new(), 1);
    while !stop.load(Ordering::Relaxed) {
        let order = order(&goods, buyer, version);
        let start = Instant::now();
        orders.place(&Principal::Guest, order).await.unwrap();
        times.push(start.elapsed());
        version += 1;
        tokio::time::sleep(THINK).await;
    }
    times
}

fn order(goods: &[Sku], buyer: u64, version: u64) -> PlaceOrder {
    let first = usize::try_from(buyer.wrapping_mul(7_919).wrapping_add(version * 104_729)).unwrap();
    let unit = Price { unit: Money::gbp(255), basis: Basis::Listed(VatRate::Standard) };
    let line = |n: usize| Line {
        sku: goods[(first + n * 1_009) % goods.len()],
        quantity: Quantity::ONE,
        price: unit,
    };
    PlaceOrder {
        key: CheckoutKey::new(&format!("bench-{buyer}-{version}")).unwrap(),
        cart: CartId(u128::from(buyer)),
        cart_version: Version(version),
        priced: price(&[line(0), line(1), line(2)], &[]).unwrap(),
        buyer: None,
        email: Some("ann@example.com".to_owned()),
        country: "United Kingdom".to_owned(),
        payment: PaymentMethod::Card,
        channel: Channel::Web,
        placed_at: Timestamp(1_291_191_960_000),
    }
}
