//! Webhook endpoints and the log of what was sent to them, through the API.

use hyper::Method;
use pulse_core::Role;
use pulse_data::db_test;
use serde_json::json;

use crate::stage::Shop;

db_test!(an_endpoint_is_made_with_a_secret_that_is_shown_once, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut admin = shop.program(Role::Admin).await;
    let new =
        json!({ "url": "https://example.com/hooks", "events": ["order.placed", "stock.low", "stock.low"] });
    let made = admin.post("/api/v1/admin/webhooks", &new).await;
    assert_eq!((made.status, made.header("location")), (201, "/api/v1/admin/webhooks/1"), "{made:?}");
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(made.body["webhook"]["events"], json!(["order.placed", "stock.low"]));
    let listed = admin.get("/api/v1/admin/webhooks").await;
    assert_eq!(listed.body["items"][0], made.body["webhook"]);
    assert!(!listed.body.to_string().contains("whsec_"));
    let rotated = admin.post("/api/v1/admin/webhooks/1/secret", &json!({ "overlap_hours": 24 })).await;
    assert_ne!(rotated.body["secret"], secret);
    assert!(admin.get("/api/v1/admin/webhooks/1").await.body["old_secret_until"].is_string());
    let off =
        admin.send(Method::PATCH, "/api/v1/admin/webhooks/1", &[], Some(&json!({ "enabled": false }))).await;
    assert_eq!((off.status, &off.body["enabled"]), (200, &json!(false)));
    assert_eq!(admin.send(Method::POST, "/api/v1/admin/webhooks/1/test", &[], None).await.status, 409);
    assert_eq!(admin.send(Method::DELETE, "/api/v1/admin/webhooks/1", &[], None).await.status, 204);
    assert_eq!(admin.send(Method::DELETE, "/api/v1/admin/webhooks/1", &[], None).await.status, 404);
});

db_test!(what_can_not_be_sent_to_is_told_by_field, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut admin = shop.program(Role::Admin).await;
    for (url, events, pointer) in [
        ("ftp://example.com", json!(["order.paid"]), "/url"),
        ("https://user:password@example.com", json!(["order.paid"]), "/url"),
        ("https://example.com", json!([]), "/events"),
        ("https://example.com", json!(["webhook.test"]), "/events/0"),
    ] {
        let refused = admin.post("/api/v1/admin/webhooks", &json!({ "url": url, "events": events })).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert_eq!(refused.body["errors"][0]["field"], pointer, "{refused:?}");
    }
    let one = json!({ "url": "https://example.com", "events": ["order.paid"] });
    for _ in 0..50 {
        assert_eq!(admin.post("/api/v1/admin/webhooks", &one).await.status, 201);
    }
    assert_eq!(admin.post("/api/v1/admin/webhooks", &one).await.status, 409, "there is an end");
});

db_test!(the_log_is_read_page_by_page_and_sent_again, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut admin = shop.program(Role::Admin).await;
    let new = json!({ "url": "https://example.com", "events": ["order.paid"] });
    admin.post("/api/v1/admin/webhooks", &new).await;
    for number in 1..=3 {
        let sent = admin.send(Method::POST, "/api/v1/admin/webhooks/1/test", &[], None).await;
        assert_eq!((sent.status, &sent.body), (202, &json!({ "delivery": number })));
    }
    let page = admin.get("/api/v1/admin/webhook-deliveries?endpoint=1&state=pending&limit=2").await.body;
    let numbers = |page: &serde_json::Value| -> Vec<i64> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&page), [3, 2]);
    let next = page["next"].as_str().unwrap();
    let rest = admin.get(&format!("/api/v1/admin/webhook-deliveries?endpoint=1&after={next}")).await.body;
    assert_eq!(numbers(&rest), [1]);
    // Switched off and on again: what waited has failed, and is sent once more.
    for enabled in [false, true] {
        admin
            .send(Method::PATCH, "/api/v1/admin/webhooks/1", &[], Some(&json!({ "enabled": enabled })))
            .await;
    }
    let again = admin.send(Method::POST, "/api/v1/admin/webhook-deliveries/1/redelivery", &[], None).await;
    assert_eq!((again.status, &again.body["state"]), (202, &json!("pending")), "{again:?}");
    let rest = admin.send(Method::POST, "/api/v1/admin/webhooks/1/redelivery", &[], None).await;
    assert_eq!((rest.status, &rest.body), (202, &json!({ "deliveries": 2 })));
    let detail = admin.get("/api/v1/admin/webhook-deliveries/2").await.body;
    assert!(detail["payload"].as_str().unwrap().contains("webhook.test"), "{detail}");
    assert_eq!(admin.get("/api/v1/admin/webhook-deliveries/9").await.status, 404);
});
