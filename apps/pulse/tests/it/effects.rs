//! kill -9 in mid-job: money, mails, messages to other programs and stock, counted by their idempotency keys.
//!
//! A real mail server and a real program that is told by webhooks outlive the shop, which is killed at random points and
//! started again while shoppers buy and the office ships. The payment gateway declines, is silent and answers twice. At the
//! end everything that was committed has had its effects: each of them, each under one key, none for what never was.
//! `PULSE_SOAK_ROUNDS` sets the rounds, five by default.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jobs::{Filter, State};
use pulse_core::{Principal, Role};
use pulse_data::accounts::{AccountOptions, Accounts};
use pulse_data::background::{Background, Mend};
use pulse_data::webhooks::{EventKind, NewEndpoint, Webhooks};
use pulse_data::{Backend, Repo, RepoOptions, Sql as _, SystemClock};
use serde_json::{Value, json};

use crate::http::Jar;
use crate::kill::{Dice, SHOPPERS, STUCK, World, rounds, stocks};
use crate::outside::Outside;
use crate::program::{Place, Server, on_both};

on_both! {
    soak_every_effect_happens_under_one_key_through_kill_9 => soak;
}

const ROOT: Principal = Principal::System("test");

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Who is told of everything, and a token of somebody who may ship.
async fn prepare(place: &Place, receiver: &Outside) -> String {
    let repo = Repo::connect(place.url(), RepoOptions::default()).await.unwrap();
    let webhooks = Webhooks::new(repo.clone(), Arc::new(SystemClock), Duration::from_hours(72));
    let new = NewEndpoint {
        url: format!("http://127.0.0.1:{}/", receiver.port),
        events: EventKind::choices().collect(),
        description: String::new(),
    };
    let (_, secret) = webhooks.create(&ROOT, new).await.unwrap();
    std::fs::write(receiver.path("secrets"), secret.reveal()).unwrap();
    let accounts = Accounts::new(repo.clone(), Arc::new(SystemClock), AccountOptions::default());
    let user = accounts.bootstrap("office@example.com", "a long password", Role::Manager).await.unwrap();
    let token = accounts.create_token(&Principal::User { id: user.id, role: Role::Manager }, "office").await;
    let token = token.unwrap().secret.reveal().to_owned();
    repo.close().await;
    token
}

/// The shop with a gateway of bad manners and its two neighbours.
fn serve(place: &Place, mail: &Outside) -> Command {
    let mut command = place.command();
    command
        .env("PULSE_MAIL_SMTP_HOST", "127.0.0.1")
        .env("PULSE_MAIL_SMTP_PORT", mail.port.to_string())
        .env("PULSE_MAIL_SMTP_TLS", "none")
        .env("PULSE_WEBHOOKS_PRIVATE_ADDRESSES", "true")
        .env("PULSE_GATEWAY_DECLINE", "0.15")
        .env("PULSE_GATEWAY_SILENT", "0.3")
        .env("PULSE_GATEWAY_TWICE", "0.5")
        .env("PULSE_WATCH_STOCK", "off")
        .arg("serve");
    command
}

/// Packs and ships whatever is paid, until it is over.
fn office(world: &World, token: &str) {
    let mut jar = Jar::default();
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    while !world.over.load(Ordering::Relaxed) {
        let shop = *world.shop.lock().unwrap();
        for (status, step) in [("paid", "pack"), ("packed", "ship")] {
            let path = format!("/api/v1/admin/orders?status={status}&limit=20");
            let Ok(page) = jar.send(shop, "GET", &path, &headers, None) else { continue };
            let page: Value = serde_json::from_str(&page.body).unwrap_or_default();
            for order in page["items"].as_array().into_iter().flatten() {
                let path = format!("/api/v1/admin/orders/{}/steps", order["id"]);
                // Without an answer the next look finds out how far it came.
                let _ = jar.send(shop, "POST", &path, &headers, Some(&json!({ "step": step })));
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn soak(backend: Backend) {
    let seed = u64::from(std::process::id()) ^ std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    eprintln!("seed {seed}");
    let (mail, receiver) = (Outside::mail_server(&[]), Outside::receiver());
    let place = Place::new(backend);
    place.run(&["demo", "--products", "12"]).succeeded();
    let token = block_on(prepare(&place, &receiver));
    let mut server = Server::start(&mut serve(&place, &mail));
    let before = stocks(server.shop);
    let names: Vec<String> = before.keys().cloned().collect();
    let world = Arc::new(World::at(server.shop));
    let shoppers: Vec<_> = (0..SHOPPERS)
        .map(|number| {
            let (world, names) = (Arc::clone(&world), names.clone());
            std::thread::spawn(move || drop(world.shop(number, seed, &names)))
        })
        .collect();
    let shipping = {
        let (world, token) = (Arc::clone(&world), token.clone());
        std::thread::spawn(move || office(&world, &token))
    };
    let effects = || mail.seen("letters").len() + receiver.seen("messages").len();
    let mut dice = Dice(seed);
    for round in 1..=rounds() {
        // Now one neighbour is out of order, now the other.
        let odd = round % 2 == 1;
        mail.mode(if odd { "accept" } else { "later" });
        receiver.mode(if odd { "500" } else { "200" });
        // Not a wait for something: the point of the kill is drawn, behind some more effects.
        let (some, began) = (effects(), Instant::now());
        while effects() < some + 10 {
            assert!(began.elapsed() < STUCK, "round {round}: nothing goes out\n{}", server.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_micros(dice.roll(100_000)));
        server.kill();
        server = Server::start(&mut serve(&place, &mail));
        *world.shop.lock().unwrap() = server.shop;
        eprintln!("round {round}: {} effects", effects());
    }
    mail.mode("accept");
    receiver.mode("200");
    world.over.store(true, Ordering::Relaxed);
    for thread in shoppers.into_iter().chain([shipping]) {
        thread.join().unwrap();
    }
    let books = block_on(settle(&place, &server));
    let left = stocks(server.shop);
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    compare_stock(&books, &before, &left);
    compare_money(&books, &place);
    let letters = compare_letters(&books, &mail);
    let messages = compare_messages(&books, &receiver);
    place.run(&["audit", "verify"]).succeeded();
    eprintln!("{} orders; {letters}; {messages}", books.orders.len());
}

/// What the database says at the end.
struct Books {
    /// Status, sum and checkout key by order.
    orders: BTreeMap<i64, (String, i64, String)>,
    /// The steps that they took: order, version, status.
    steps: Vec<(i64, i64, String)>,
    /// Pieces sold by product, of orders that were not given up.
    sold: BTreeMap<String, i64>,
    /// Refunds that were settled: order, number.
    refunds: Vec<(i64, i64)>,
}

macro_rules! get {
    ($row:expr, $index:expr) => {
        $row.try_get_by_index($index).unwrap()
    };
}

/// Waits until no job is left, then reads the books.
async fn settle(place: &Place, server: &Server) -> Books {
    const LEFT: &str = "SELECT worker, state, errors FROM jobs \
                        WHERE state IN ('available', 'scheduled', 'executing', 'retryable')";
    let repo = Repo::connect(place.url(), RepoOptions::default()).await.unwrap();
    let began = Instant::now();
    let background = Background::new(repo.clone(), jobs::Wake::new());
    let waiting = Filter { state: Some(State::Retryable), ..Filter::default() };
    loop {
        let left = repo.reader().rows(LEFT, vec![]).await.unwrap();
        if left.is_empty() {
            break;
        }
        // After many rounds a job's next try is many minutes away: the office has it tried now, as after any outage.
        background.mend_all(&ROOT, &waiting, Mend::Retry).await.unwrap();
        let what = || -> Vec<(String, String, String)> {
            left.iter().map(|row| (get!(row, 0), get!(row, 1), get!(row, 2))).collect()
        };
        assert!(began.elapsed() < STUCK, "jobs are left: {:?}\n{}", what(), server.log());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let rows = async |sql: &str| repo.reader().rows(sql, vec![]).await.unwrap();
    let orders = rows("SELECT id, status, total_pence, checkout_key FROM orders").await;
    let steps = rows("SELECT order_id, version, status FROM order_events").await;
    let sold = rows(
        "SELECT l.sku, CAST(sum(l.quantity) AS BIGINT) FROM order_lines l JOIN orders o ON o.id = l.order_id \
         WHERE o.status <> 'cancelled' GROUP BY l.sku",
    )
    .await;
    let refunds =
        rows("SELECT order_id, seq FROM payments WHERE kind = 'refund' AND state = 'settled'").await;
    let lost = rows("SELECT id FROM jobs WHERE state = 'discarded'").await;
    assert_eq!(lost.len(), 0, "a job was given up by the engine");
    let books = Books {
        orders: orders.iter().map(|row| (get!(row, 0), (get!(row, 1), get!(row, 2), get!(row, 3)))).collect(),
        steps: steps.iter().map(|row| (get!(row, 0), get!(row, 1), get!(row, 2))).collect(),
        sold: sold.iter().map(|row| (get!(row, 0), get!(row, 1))).collect(),
        refunds: refunds.iter().map(|row| (get!(row, 0), get!(row, 1))).collect(),
    };
    repo.close().await;
    books
}

fn compare_stock(books: &Books, before: &BTreeMap<String, i64>, left: &BTreeMap<String, i64>) {
    for (sku, before) in before {
        let sold = books.sold.get(sku).copied().unwrap_or_default();
        assert_eq!(left.get(sku).copied(), Some(before - sold), "stock of {sku}");
    }
}

/// The gateway has moved each order's money once where it is paid, and not at all, or back, where it is given up.
fn compare_money(books: &Books, place: &Place) {
    let ledger = std::fs::read_to_string(place.folder().join(".data/gateway.ledger")).unwrap();
    let mut moved: BTreeMap<i64, i64> = BTreeMap::new();
    let mut keys = BTreeSet::new();
    for line in ledger.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(keys.insert(entry["key"].as_str().unwrap().to_owned()), "a key moved money twice: {entry}");
        if entry["answer"].get("Ok").is_some() {
            let sign = if entry["movement"] == "capture" { 1 } else { -1 };
            let pence = sign * entry["pence"].as_i64().unwrap();
            *moved.entry(entry["order"].as_i64().unwrap()).or_default() += pence;
        }
    }
    for (id, (status, pence, key)) in &books.orders {
        let expected = match status.as_str() {
            "cancelled" => 0,
            "placed" => panic!("order {id} was never paid nor given up"),
            _ => *pence,
        };
        assert_eq!(moved.remove(id).unwrap_or_default(), expected, "order {id} ({key}) is {status}");
    }
    assert_eq!(moved, BTreeMap::new(), "money for orders that never were");
}

fn compare_letters(books: &Books, mail: &Outside) -> String {
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let letters = mail.seen("letters");
    for letter in &letters {
        let text = |name: &str| letter[name].as_str().unwrap().to_owned();
        ids.entry(text("key")).or_default().insert(text("id"));
    }
    let news = books.steps.iter().filter_map(|(order, _, status)| match status.as_str() {
        "paid" => Some(format!("order-paid:{order}")),
        "shipped" => Some(format!("order-shipped:{order}")),
        "cancelled" => Some(format!("order-given-up:{order}")),
        _ => None,
    });
    let expected: BTreeSet<String> = news.collect();
    assert_eq!(ids.keys().cloned().collect::<BTreeSet<_>>(), expected, "letters lost, or of nothing");
    assert!(ids.values().all(|ids| ids.len() == 1), "one letter has one Message-ID: {ids:?}");
    format!("{} letters, {} of them handed over again", expected.len(), letters.len() - expected.len())
}

fn compare_messages(books: &Books, receiver: &Outside) -> String {
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let messages = receiver.seen("messages");
    for message in &messages {
        assert_eq!(message["signed"], json!([0]), "{message}");
        said.entry(message["id"].as_str().unwrap().to_owned())
            .or_default()
            .insert(message["event"].to_string());
    }
    let steps = books.steps.iter().filter(|(.., status)| status != "packed");
    let mut expected: BTreeSet<String> =
        steps.map(|(order, version, _)| format!("order:{order}:{version}")).collect();
    expected.extend(books.refunds.iter().map(|(order, seq)| format!("order:{order}:payment:{seq}")));
    assert_eq!(said.keys().cloned().collect::<BTreeSet<_>>(), expected, "messages lost, or of nothing");
    assert!(said.values().all(|bodies| bodies.len() == 1), "one id says one thing: {said:?}");
    format!("{} messages, {} of them sent again", expected.len(), messages.len() - expected.len())
}
