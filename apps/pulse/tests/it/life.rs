//! From the first start to a clean end: open, ready, sell, drain.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use pulse_data::Backend;
use serde_json::{Value, json};

use crate::http::{self, Jar, get};
use crate::program::{Place, on_both};

/// Asks `/readyz`, which must say yes.
pub(crate) fn ready(ops: SocketAddr) {
    let answer = get(ops, "/readyz").unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Some product that is for sale.
pub(crate) fn first_product(shop: SocketAddr) -> String {
    let page = get(shop, "/api/v1/products?limit=1").unwrap().ok().json();
    page["items"][0]["sku"].as_str().unwrap_or_else(|| panic!("{page}")).to_owned()
}

pub(crate) fn stock(shop: SocketAddr, sku: &str) -> i64 {
    get(shop, &format!("/api/v1/products/{sku}")).unwrap().ok().json()["stock"].as_i64().unwrap()
}

pub(crate) fn address() -> Value {
    json!({ "email": "ada@example.com", "country": "United Kingdom" })
}

on_both! {
    the_shop_opens_sells_and_closes => opens_sells_and_closes;
    a_request_under_way_is_answered_before_the_end => drains;
}

fn opens_sells_and_closes(backend: Backend) {
    let place = Place::new(backend);
    place.run(&["demo", "--products", "20"]).succeeded();
    let server = place.serve();
    ready(server.ops);
    assert_eq!(get(server.ops, "/healthz").unwrap().status, 200);
    assert_eq!(get(server.shop, "/").unwrap().status, 200);

    let sku = first_product(server.shop);
    let before = stock(server.shop, &sku);
    let mut jar = Jar::default();
    let line = json!({ "sku": sku, "quantity": 2 });
    for _ in 0..2 {
        let cart = jar.post(server.shop, "/api/v1/cart/lines", "add-1", &line).unwrap().ok().json();
        assert_eq!(cart["lines"][0]["quantity"], 2, "the same change is made once: {cart}");
    }
    let order = jar.post(server.shop, "/api/v1/checkout", "buy-1", &address()).unwrap().ok().json();
    let again = jar.post(server.shop, "/api/v1/checkout", "buy-1", &address()).unwrap().ok().json();
    assert_eq!(order["id"], again["id"], "the same checkout makes one order");
    assert_eq!(stock(server.shop, &sku), before - 2);

    let scrape = get(server.ops, "/metrics").unwrap().ok().body;
    for line in [
        "http_request_duration_seconds_count{route=\"/api/v1/checkout\",method=\"POST\",status=\"2xx\"} 2",
        "pulse_fleet_carts_started_total 1",
        "pulse_cache_loads_total{cache=\"offers\"}",
        "pulse_jobs_taken_total",
        "pulse_pages_total{what=\"forged_tokens\"} 0",
        "pulse_pages_total{what=\"shared_evictions\"}",
        "pulse_watch_total{found=\"guest_carts\"} 0",
        "pulse_sockets_of_pages_total{what=\"slow_consumers\"} 0",
        "pulse_sockets_of_programs_total{what=\"joins_refused\"} 0",
        "pulse_build_info{",
        "process_resident_memory_bytes",
        "trace_id=",
    ] {
        assert!(scrape.contains(line), "{line} is missing:\n{scrape}");
    }
    let (status, log) = server.stop();
    assert!(status.success(), "{status}: {log}");
    assert!(!log.contains("panicked"), "{log}");
    let verified = place.run(&["audit", "verify"]).succeeded().stdout;
    assert!(verified.contains(", 0 not sealed yet"), "the end seals what is left: {verified}");
}

fn drains(backend: Backend) {
    let place = Place::new(backend);
    place.run(&["demo", "--products", "20"]).succeeded();
    let server = place.serve();
    let line = json!({ "sku": first_product(server.shop), "quantity": 1 }).to_string();
    let (first, rest) = line.split_at(5);
    let jar = Jar::default();
    let head =
        jar.head(server.shop, "POST", "/api/v1/cart/lines", &[("Idempotency-Key", "slow")], line.len());
    let mut slow = TcpStream::connect(server.shop).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    slow.write_all(head.as_bytes()).unwrap();
    slow.write_all(first.as_bytes()).unwrap();
    // Once it is counted as in flight the shop has it in its hands.
    while !get(server.ops, "/metrics").unwrap().body.contains("http_requests_in_flight 1") {}

    server.terminate();
    while get(server.ops, "/readyz").unwrap().status != 503 {}
    assert!(get(server.ops, "/readyz").unwrap().body.contains("draining"));
    slow.write_all(rest.as_bytes()).unwrap();
    let answer = http::read(&mut slow).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let (status, log) = server.wait();
    assert!(status.success(), "{status}: {log}");
}

#[test]
fn the_first_start_makes_its_folder_and_its_schema() {
    let place = Place::sqlite();
    let mut command = place.command();
    command.env_remove("DATABASE_URL").arg("serve");
    let server = crate::program::Server::start(&mut command);
    ready(server.ops);
    assert!(place.folder().join(".data").join("pulse.db").is_file());
    assert!(server.stop().0.success());
}

#[test]
fn postgresql_is_migrated_only_when_told_to() {
    let place = Place::new(Backend::Postgres);
    place.run(&["migrate", "down", "--steps", "1", "--yes"]).succeeded();
    let refused = place.run(&["serve"]).failed_with(1);
    assert!(refused.complaint().contains("pulse migrate up"), "{refused:?}");
    let server = crate::program::Server::start(place.command().args(["serve", "--migrate"]));
    ready(server.ops);
    assert!(server.stop().0.success());
}

#[test]
fn demo_fills_an_empty_shop_and_lets_shoppers_in() {
    let place = Place::sqlite();
    let server = crate::program::Server::start(place.command().args(["serve", "--demo"]));
    assert!(server.said().iter().any(|line| line.contains("admin@example.com")), "{:?}", server.said());
    first_product(server.shop);
    // A shopper comes within a second, and fills a cart.
    while !get(server.ops, "/metrics").unwrap().body.contains("pulse_fleet_carts_started_total") {}
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    let again = crate::program::Server::start(place.command().args(["serve", "--demo"]));
    assert!(!again.said().iter().any(|line| line.contains("password")), "only an empty shop is filled");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::sqlite();
    place.run(&["demo", "--products", "5"]).succeeded();
    let server = place.serve();
    // A request whose body never comes holds the drain up.
    let head = Jar::default().head(server.shop, "POST", "/api/v1/cart/lines", &[], 100);
    let mut stuck = TcpStream::connect(server.shop).unwrap();
    stuck.write_all(head.as_bytes()).unwrap();
    while !get(server.ops, "/metrics").unwrap().body.contains("http_requests_in_flight 1") {}
    server.terminate();
    while get(server.ops, "/readyz").unwrap().status != 503 {}
    server.terminate();
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(130), "{log}");
}
