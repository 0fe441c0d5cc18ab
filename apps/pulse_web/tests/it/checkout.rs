//! From a cart to an order, its life and its return.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use pulse_core::order::{Channel, PaymentMethod, Step};
use pulse_core::ports::{PlaceError, StoreError};
use pulse_core::{CartId, CheckoutKey, CommandId, Principal, Quantity, Role, Sku};
use pulse_data::db_test;
use pulse_data::orders::StockBalance;
use pulse_fleet::{Checkout, ShopError};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::stage::{Client, Reply, SYSTEM, Shop};

async fn fill(client: &mut Client, sku: &str, quantity: i64) {
    let reply = client.post("/api/v1/cart/lines", &json!({ "sku": sku, "quantity": quantity })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

async fn check_out(client: &mut Client, key: &str) -> Reply {
    let body = json!({ "email": "ann@shop.example", "country": "United Kingdom" });
    client.send(Method::POST, "/api/v1/checkout", &[("idempotency-key", key)], Some(&body)).await
}

db_test!(a_repeated_checkout_answers_the_same_order, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let mut client = shop.buyer("ann@shop.example").await;
    fill(&mut client, "A1", 2).await;
    let first = check_out(&mut client, "k1").await;
    assert_eq!(first.status, 201, "{first:?}");
    for _ in 0..3 {
        let again = check_out(&mut client, "k1").await;
        assert_eq!((again.status, &again.body["id"]), (201, &first.body["id"]));
    }
    assert_eq!(client.get("/api/v1/orders").await.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(client.get("/api/v1/products/A1").await.body["stock"], 48);
    assert_eq!(client.get(first.header("location")).await.body["id"], first.body["id"]);
    let empty = check_out(&mut client, "k2").await;
    assert_eq!(empty.status, 409, "the cart is empty now: {empty:?}");
});

db_test!(checkouts_of_one_key_at_once_make_one_order, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let mut client = shop.buyer("ann@shop.example").await;
    fill(&mut client, "A1", 2).await;
    let racers: Vec<_> = (0..8)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { check_out(&mut client, "k1").await })
        })
        .collect();
    let mut orders = std::collections::BTreeSet::new();
    for racer in racers {
        let reply = racer.await.unwrap();
        if reply.status == 201 {
            orders.insert(reply.body["id"].as_i64().unwrap());
        }
    }
    assert_eq!(orders.len(), 1);
    assert_eq!(client.get("/api/v1/orders").await.body["items"].as_array().unwrap().len(), 1);
});

db_test!(two_guests_may_draw_the_same_key, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let (mut ann, mut bob) = (shop.client(), shop.client());
    fill(&mut ann, "A1", 1).await;
    fill(&mut bob, "A1", 1).await;
    let (first, second) = (check_out(&mut ann, "1").await, check_out(&mut bob, "1").await);
    assert_eq!((first.status, second.status), (201, 201), "{second:?}");
    assert_ne!(first.body["id"], second.body["id"]);
    assert_eq!(ann.get("/api/v1/checkout/1").await.body["id"], first.body["id"]);
    assert_eq!(first.header("location"), "/api/v1/checkout/1");
    assert_eq!(shop.client().get("/api/v1/checkout/1").await.status, 404);
});

db_test!(what_there_is_too_little_of_is_named, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 3).await;
    let mut client = shop.client();
    fill(&mut client, "A1", 4).await;
    let refused = check_out(&mut client, "k").await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(refused.body["type"], "/api/docs#problem-out-of-stock");
    assert_eq!(refused.body["shortages"], json!([{ "sku": "A1", "wanted": 4, "left": 3 }]));
    let cart = client.get("/api/v1/cart").await.body;
    assert_eq!(cart["lines"][0]["quantity"], 4, "the cart stays as it was");
    assert_eq!(cart.get("frozen_until"), None, "and can be changed again");
});

db_test!(a_checkout_says_what_it_lacks, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 3).await;
    let mut client = shop.client();
    fill(&mut client, "A1", 1).await;
    let no_key = client.post("/api/v1/checkout", &json!({ "email": "a@b.uk", "country": "UK" })).await;
    assert_eq!((no_key.status, no_key.fault().0.as_str()), (400, "Idempotency-Key"));
    let send = async |client: &mut Client, body: Value| {
        client.send(Method::POST, "/api/v1/checkout", &[("idempotency-key", "k")], Some(&body)).await
    };
    let no_email = send(&mut client, json!({ "country": "UK" })).await;
    assert_eq!((no_email.status, no_email.fault().0.as_str()), (422, "/email"));
    let on_account = json!({ "country": "UK", "email": "a@b.uk", "payment": "on_account" });
    assert_eq!(send(&mut client, on_account).await.status, 403);
});

db_test!(an_order_is_its_buyers_alone, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let mut ann = shop.buyer("ann@shop.example").await;
    let mut bob = shop.buyer("bob@shop.example").await;
    fill(&mut ann, "A1", 1).await;
    let path = check_out(&mut ann, "k").await.header("location").to_owned();
    assert_eq!(ann.get(&path).await.body["lines"][0]["sku"], "A1");
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(bob.send(Method::POST, &format!("{path}/cancel"), &[], None).await.status, 404);
    assert_eq!(shop.program(Role::Support).await.get(&path).await.status, 200);
    assert_eq!(bob.get("/api/v1/orders").await.body["items"], json!([]));
    let cancelled = ann.send(Method::POST, &format!("{path}/cancel"), &[], None).await;
    assert_eq!(cancelled.body["status"], "cancelled", "{cancelled:?}");
    assert_eq!(ann.send(Method::POST, &format!("{path}/cancel"), &[], None).await.status, 409);
});

db_test!(goods_come_back_once_a_key, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let mut ann = shop.buyer("ann@shop.example").await;
    let mut support = shop.program(Role::Support).await;
    let mut manager = shop.program(Role::Manager).await;
    fill(&mut ann, "A1", 5).await;
    let id = check_out(&mut ann, "k").await.body["id"].as_i64().unwrap();
    shop.rooms.orders.step(&SYSTEM, pulse_core::OrderId(id), Step::Pay).await.unwrap();
    for step in ["pack", "ship", "deliver"] {
        let path = format!("/api/v1/admin/orders/{id}/steps");
        let moved = manager.post(&path, &json!({ "step": step })).await;
        assert_eq!(moved.status, 200, "{moved:?}");
    }
    let path = format!("/api/v1/admin/orders/{id}/returns");
    let back = json!({ "lines": [{ "line": 1, "quantity": 2 }] });
    assert_eq!(support.post(&path, &back).await.status, 400, "a return has a key");
    let mut notes = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let note = support.send(Method::POST, &path, &[("idempotency-key", "r1")], Some(&back)).await;
        assert_eq!((note.status, &note.body["refund"]["pence"]), (201, &json!(200)), "{note:?}");
        notes.insert(note.body["id"].as_i64().unwrap());
    }
    assert_eq!(notes.len(), 1);
    let too_many = json!({ "lines": [{ "line": 1, "quantity": 4 }] });
    let refused = support.send(Method::POST, &path, &[("idempotency-key", "r2")], Some(&too_many)).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    let order = ann.get(&format!("/api/v1/orders/{id}")).await.body;
    assert_eq!(order["lines"][0]["returned"], 2);
    assert_eq!(order["returns"].as_array().unwrap().len(), 1);
    assert_eq!(ann.get("/api/v1/products/A1").await.body["stock"], 47);
});

db_test!(a_thousand_buyers_share_the_last_hundred_pieces, |repo| async move {
    const BUYERS: u64 = 1_000;
    let shop = Shop::open(repo).await;
    shop.stock(1, 100).await;
    let sku = Sku::new("A1").unwrap();
    let together = Arc::new(Barrier::new(usize::try_from(BUYERS).unwrap()));
    let buyers: Vec<_> = (0..BUYERS)
        .map(|n| {
            let (front, together) = (shop.rooms.front.clone(), Arc::clone(&together));
            tokio::spawn(async move {
                let (who, cart) = (Principal::Guest, CartId(u128::from(n) + 1));
                // Too much at once is told and tried again, as a browser does: with the same names it does nothing twice.
                while let Err(error) = front.add(&who, cart, CommandId(n + 1), sku, Quantity::ONE).await {
                    patience(&error).await;
                }
                together.wait().await;
                let checkout = || Checkout {
                    key: CheckoutKey::new(&format!("thousand-{n}")).unwrap(),
                    buyer: None,
                    email: Some("ann@shop.example".to_owned()),
                    country: "Norway".to_owned(),
                    payment: PaymentMethod::Card,
                    channel: Channel::Web,
                    placed_at: None,
                };
                loop {
                    match front.checkout(&who, cart, checkout()).await {
                        Ok(_) => return true,
                        Err(ShopError::Place(PlaceError::OutOfStock(short))) => {
                            assert_eq!((short[0].sku, short[0].left), (sku, 0));
                            return false;
                        }
                        Err(error) => patience(&error).await,
                    }
                }
            })
        })
        .collect();
    let mut sold = 0;
    for buyer in buyers {
        sold += u32::from(buyer.await.unwrap());
    }
    assert_eq!(sold, 100, "and 900 were told that there is none left");
    assert_eq!(shop.rooms.catalog.get(&SYSTEM, sku).await.unwrap().stock, 0);
    assert!(shop.rooms.orders.stock_balance(&SYSTEM).await.unwrap().iter().all(StockBalance::holds));
});

/// Waits where the shop says that it is busy; anything else is a failure of the test.
async fn patience(error: &ShopError) {
    let busy = match error {
        ShopError::Overloaded { retry_after } => Some(*retry_after),
        ShopError::Store(StoreError::Overloaded)
        | ShopError::Place(PlaceError::Store(StoreError::Overloaded)) => Some(Duration::from_millis(20)),
        _ => None,
    };
    tokio::time::sleep(busy.unwrap_or_else(|| panic!("{error}"))).await;
}

db_test!(a_guest_gives_up_the_order_of_its_cart_and_of_no_other, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 9).await;
    let body = json!({ "email": "ann@shop.example", "country": "France" });
    let key = [("idempotency-key", "k-1")];
    let mut guest = shop.client();
    guest.post("/api/v1/cart/lines", &json!({ "sku": "A1", "quantity": 2 })).await;
    assert_eq!(guest.send(Method::POST, "/api/v1/checkout", &key, Some(&body)).await.status, 201);
    let mut stranger = shop.client();
    stranger.post("/api/v1/cart/lines", &json!({ "sku": "A1", "quantity": 1 })).await;
    let cancel = "/api/v1/checkout/k-1/cancel";
    assert_eq!(stranger.send(Method::POST, cancel, &[], None).await.status, 404);
    assert_eq!(shop.client().send(Method::POST, cancel, &[], None).await.status, 404);
    let given_up = guest.send(Method::POST, cancel, &[], None).await;
    assert_eq!((given_up.status, &given_up.body["status"]), (200, &json!("cancelled")), "{given_up:?}");
    assert_eq!(guest.send(Method::POST, cancel, &[], None).await.status, 409, "it is over");
    assert_eq!(guest.get("/api/v1/products/A1").await.body["stock"], 9, "the goods are back");

    let mut buyer = shop.buyer("bob@shop.example").await;
    buyer.post("/api/v1/cart/lines", &json!({ "sku": "A1", "quantity": 1 })).await;
    assert_eq!(buyer.send(Method::POST, "/api/v1/checkout", &key, Some(&body)).await.status, 201);
    let given_up = buyer.send(Method::POST, cancel, &[], None).await;
    assert_eq!((given_up.status, &given_up.body["status"]), (200, &json!("cancelled")), "{given_up:?}");
});
