//! Feeds over HTTP: stored before they are answered, known when they come again, and done beside the requests.

use std::io::Write as _;
use std::sync::Arc;

use hyper::Method;
use pulse_core::{Principal, Role, Sku};
use pulse_data::db_test;
use pulse_ingest::feed::{Fed, FeedOptions, feed_file, feed_waiting};
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

fn packed(rows: &str) -> Vec<u8> {
    let mut packing = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packing.write_all(rows.as_bytes()).unwrap();
    packing.finish().unwrap()
}

db_test!(a_feed_is_one_content_packed_or_not_posted_or_as_a_file, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(2, 5).await;
    let mut program = shop.program(Role::Manager).await;
    let (folder, rows) = (tempfile::tempdir().unwrap(), "sku,delta\nA1,3\n");
    let path = "/api/v1/feeds/stock?source=acme";
    let first = program.raw(Method::POST, path, &[CSV], packed(rows).into()).await;
    let keyed = [CSV, ("idempotency-key", "monday")];
    let other = post(&mut program, path, &keyed, "sku,delta\nA2,1\n").await;
    assert_eq!((first.status, other.status), (202, 202));
    let options = FeedOptions { source: "acme".to_owned(), ..FeedOptions::default() };
    assert!(feed_waiting(&shop.rooms.feeds, &options, &Arc::default()).await.unwrap());
    assert_eq!(post(&mut program, path, &[CSV], rows).await.body["id"], first.body["id"], "unpacked");
    let repacked = program.raw(Method::POST, path, &keyed, packed("sku,delta\nA2,1\n").into()).await;
    assert_eq!(
        (repacked.status, &repacked.body["id"]),
        (202, &other.body["id"]),
        "the key's own rows, packed"
    );
    for (name, content) in [("stock-1.csv", rows.as_bytes().to_vec()), ("stock-2.csv.gz", packed(rows))] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let fed = feed_file(&shop.rooms.feeds, &file, &options, &Arc::default(), 0).await.unwrap();
        let Fed::Known(feed) = fed else { panic!("{name}: {fed:?}") };
        assert_eq!(json!(feed.id), first.body["id"], "{name}");
    }
    // The other way round: what was a file is known when it is posted.
    let file = folder.path().join("stock-3.csv.gz");
    std::fs::write(&file, packed("sku,delta\nA1,4\n")).unwrap();
    let fed = feed_file(&shop.rooms.feeds, &file, &options, &Arc::default(), 0).await.unwrap();
    let Fed::Done(feed) = fed else { panic!("{fed:?}") };
    let posted = post(&mut program, path, &[CSV], "sku,delta\nA1,4\n").await;
    assert_eq!((&posted.body["id"], &posted.body["state"]), (&json!(feed.id), &json!("done")));
    let stock = shop.rooms.catalog.get(&Principal::Guest, Sku::new("A1").unwrap()).await.unwrap().stock;
    assert_eq!(stock, 5 + 3 + 4);
});

db_test!(a_packed_body_that_breaks_off_is_taken_and_refused_as_a_whole, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut program = shop.program(Role::Manager).await;
    let mut cut = packed(&format!("sku,delta\n{}", "A1,1\n".repeat(500)));
    cut.truncate(cut.len() - 4);
    let taken = program.raw(Method::POST, "/api/v1/feeds/stock?source=acme", &[CSV], cut.into()).await;
    assert_eq!(taken.status, 202);
    feed_waiting(&shop.rooms.feeds, &FeedOptions::default(), &Arc::default()).await.unwrap();
    let ended = program.get(taken.header("location")).await.body;
    assert_eq!(ended["state"], json!("refused"), "{ended}");
    assert!(ended["why"].as_str().unwrap().contains("breaks off"), "{ended}");
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

db_test!(a_few_packed_bytes_that_unpack_to_too_many_are_refused, |repo| async move {
    let config = WebConfig { feed_unpacked_bytes: 100_000, ..config() };
    let shop = Shop::open_with(repo, config, ServeOptions::default()).await;
    shop.stock(1, 5).await;
    let mut program = shop.program(Role::Manager).await;
    let path = "/api/v1/feeds/stock?source=acme";
    let rows = |bytes: usize| format!("sku,delta\n{}", "A1,1\n".repeat((bytes - 10) / 5));
    let (fits, bomb) = (rows(100_000), rows(100_005));
    assert!(packed(&bomb).len() < 1_000, "what arrives is small");
    let refused = program.raw(Method::POST, path, &[CSV], packed(&bomb).into()).await;
    assert_eq!(
        (refused.status, &refused.body["type"]),
        (413, &json!("/api/docs#problem-too-large")),
        "{refused:?}"
    );
    assert!(refused.body["detail"].as_str().unwrap().contains("more than 100000 bytes"), "{refused:?}");
    let listed = program.get("/api/v1/admin/feeds").await.body;
    assert_eq!(listed["items"], json!([]), "nothing is kept of it");
    let taken = program.raw(Method::POST, path, &[CSV], packed(&fits).into()).await;
    assert_eq!(taken.status, 202, "{taken:?}");
});
