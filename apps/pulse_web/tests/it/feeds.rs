//! Feeds over HTTP: stored before they are answered, known when they come again, and done beside the requests.

use std::sync::Arc;

use hyper::Method;
use pulse_core::{Principal, Role, Sku};
use pulse_data::db_test;
use pulse_ingest::feed::{FeedOptions, feed_waiting};
use pulse_web::{ServeOptions, WebConfig};
use serde_json::json;

use crate::stage::{Client, Reply, Shop, config};

const CSV: (&str, &str) = ("content-type", "text/csv; charset=utf-8");

async fn post(client: &mut Client, path: &str, headers: &[(&str, &str)], rows: &str) -> Reply {
    client.raw(Method::POST, path, headers, rows.to_owned().into()).await
}

db_test!(a_posted_feed_is_stored_before_its_answer_and_done_once, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(2, 5).await;
    let mut program = shop.program(Role::Manager).await;
    let rows = "sku,price\nA1,1.50\nNOPE,2\n";
    let taken = post(&mut program, "/api/v1/feeds/prices?source=acme", &[CSV], rows).await;
    assert_eq!((taken.status, &taken.body["state"]), (202, &json!("waiting")), "{taken:?}");
    let place = taken.header("location").to_owned();
    assert_eq!(place, format!("/api/v1/admin/feeds/{}", taken.body["id"]));
    assert_eq!(program.get(&place).await.body, taken.body);
    let again = post(&mut program, "/api/v1/feeds/prices?source=acme", &[CSV], rows).await;
    assert_eq!(
        (again.status, &again.body["id"]),
        (202, &taken.body["id"]),
        "the same rows are the same feed"
    );

    assert!(feed_waiting(&shop.rooms.feeds, &FeedOptions::default(), &Arc::default()).await.unwrap());
    let done = program.get(&place).await.body;
    assert_eq!((&done["state"], &done["changed"], &done["dead"]), (&json!("done"), &json!(1), &json!(1)));
    let product = shop.rooms.catalog.get(&Principal::Guest, Sku::new("A1").unwrap()).await.unwrap();
    assert_eq!(product.price.pence, 150);
    let listed = program.get("/api/v1/admin/feeds?source=acme").await.body;
    assert_eq!(listed["items"][0]["id"], taken.body["id"]);
    assert_eq!(program.get("/api/v1/admin/feeds/4711").await.status, 404);
});

db_test!(what_is_no_feed_is_told_with_its_field, |repo| async move {
    // So small that the client has sent all of it before it is refused.
    let config = WebConfig { feed_bytes: 1024, ..config() };
    let shop = Shop::open_with(repo, config, ServeOptions::default()).await;
    let mut program = shop.program(Role::Manager).await;
    let path = "/api/v1/feeds/stock?source=acme";
    let keyed = [CSV, ("idempotency-key", "monday")];
    let first = post(&mut program, path, &keyed, "sku,delta\nA1,1\n").await;
    assert_eq!(first.status, 202, "{first:?}");
    assert_eq!(post(&mut program, path, &keyed, "sku,delta\nA1,1\n").await.body["id"], first.body["id"]);
    assert_eq!(post(&mut program, path, &keyed, "sku,delta\nA1,2\n").await.status, 409);
    for (path, headers, status) in [
        ("/api/v1/feeds/stock", CSV, 422),
        ("/api/v1/feeds/stock?source=", CSV, 422),
        ("/api/v1/feeds/shoes?source=acme", CSV, 404),
        (path, ("content-type", "application/json"), 415),
        (path, ("x-none", "1"), 415),
    ] {
        assert_eq!(post(&mut program, path, &[headers], "{}").await.status, status, "{path} {headers:?}");
    }
    let large = "x".repeat(1025);
    assert_eq!(post(&mut program, path, &[CSV], &large).await.status, 413);
    assert_eq!(post(&mut shop.client(), path, &[CSV], "sku\n").await.status, 401);
    let mut support = shop.program(Role::Support).await;
    assert_eq!(post(&mut support, path, &[CSV], "sku\n").await.status, 403);
    assert_eq!(support.get("/api/v1/admin/feeds").await.status, 403);
});
