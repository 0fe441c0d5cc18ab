//! The cart: a guest's, an account's, and how the one becomes the other.

use hyper::Method;
use pulse_data::db_test;
use serde_json::{Value, json};

use crate::stage::{Client, Shop};

fn lines(cart: &Value) -> Vec<(String, i64)> {
    let line = |line: &Value| (line["sku"].as_str().unwrap().to_owned(), line["quantity"].as_i64().unwrap());
    cart["lines"].as_array().unwrap().iter().map(line).collect()
}

async fn add(client: &mut Client, sku: &str, quantity: i64) -> Value {
    let reply = client.post("/api/v1/cart/lines", &json!({ "sku": sku, "quantity": quantity })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

db_test!(a_guest_fills_changes_and_empties_a_cart, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(3, 50).await;
    let mut client = shop.client();
    assert_eq!(client.get("/api/v1/cart").await.body["lines"], json!([]));
    assert!(client.cookies.is_empty(), "who only looks gets no cart");
    add(&mut client, "a1", 2).await;
    let cart = add(&mut client, "A2", 1).await;
    assert_eq!(lines(&cart), [("A1".into(), 2), ("A2".into(), 1)]);
    assert_eq!(cart["total"], json!({ "pence": 400, "currency": "GBP" }));
    let name = cart["lines"][0]["line"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/cart/lines/{name}");
    let set = client.send(Method::PUT, &path, &[], Some(&json!({ "quantity": 7 }))).await;
    assert_eq!(lines(&set.body), [("A1".into(), 7), ("A2".into(), 1)]);
    let removed = client.send(Method::DELETE, &path, &[], None).await;
    assert_eq!(lines(&removed.body), [("A2".into(), 1)]);
    assert_eq!(client.send(Method::DELETE, &path, &[], None).await.status, 404);
    assert_eq!(lines(&client.send(Method::DELETE, "/api/v1/cart", &[], None).await.body), []);
});

db_test!(carts_of_two_guests_are_two, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let (mut ann, mut bob) = (shop.client(), shop.client());
    add(&mut ann, "A1", 1).await;
    add(&mut bob, "A1", 2).await;
    assert_eq!(lines(&ann.get("/api/v1/cart").await.body), [("A1".into(), 1)]);
    assert_eq!(lines(&bob.get("/api/v1/cart").await.body), [("A1".into(), 2)]);
});

db_test!(a_change_with_a_key_is_made_once, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let mut client = shop.client();
    add(&mut client, "A1", 1).await;
    let body = json!({ "sku": "A1", "quantity": 3 });
    for _ in 0..3 {
        let reply =
            client.send(Method::POST, "/api/v1/cart/lines", &[("idempotency-key", "k1")], Some(&body)).await;
        assert_eq!(lines(&reply.body), [("A1".into(), 4)]);
    }
    assert_eq!(lines(&add(&mut client, "A1", 3).await), [("A1".into(), 7)]);
});

db_test!(what_is_not_for_sale_does_not_get_into_a_cart, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    let reply = client.post("/api/v1/cart/lines", &json!({ "sku": "A1", "quantity": 1 })).await;
    assert_eq!(reply.status, 409, "{reply:?}");
});

db_test!(signing_in_moves_the_guests_cart_into_the_accounts, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(3, 50).await;
    let mut browser = shop.buyer("ann@shop.example").await;
    add(&mut browser, "A1", 1).await;
    // Another browser, before it signs in.
    let mut other = shop.client();
    add(&mut other, "A1", 2).await;
    add(&mut other, "A2", 5).await;
    let who = json!({ "email": "ann@shop.example", "password": "long enough for a test" });
    let reply = other.post("/api/v1/session", &who).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(!other.cookies.contains_key("pulse-cart"), "the guest's cart is gone");
    assert_eq!(lines(&other.get("/api/v1/cart").await.body), [("A1".into(), 3), ("A2".into(), 5)]);
    assert_eq!(lines(&browser.get("/api/v1/cart").await.body), [("A1".into(), 3), ("A2".into(), 5)]);
});
