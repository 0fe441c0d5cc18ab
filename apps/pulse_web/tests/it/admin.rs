//! Running the shop: products under their versions, deliveries, promotions, the audit trail.

use hyper::Method;
use pulse_core::Role;
use pulse_data::db_test;
use serde_json::json;

use crate::stage::Shop;

db_test!(of_two_changes_made_at_once_one_is_refused, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut manager = shop.program(Role::Manager).await;
    let new = json!({ "sku": "c1", "name": "Cup", "price": { "pence": 250 }, "category": "Cups" });
    let made = manager.post("/api/v1/admin/products", &new).await;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(manager.post("/api/v1/admin/products", &new).await.status, 409);
    let patch = [("if-match", "\"1\"")];
    let body = json!({ "name": "Mug", "category": null });
    let changed = manager.send(Method::PATCH, &path, &patch, Some(&body)).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""), "{changed:?}");
    assert_eq!((&changed.body["name"], &changed.body["category"]), (&json!("Mug"), &json!(null)));
    assert_eq!(manager.send(Method::PATCH, &path, &patch, Some(&body)).await.status, 412);
    assert_eq!(manager.send(Method::PATCH, &path, &[("if-match", "x")], Some(&body)).await.status, 412);
    assert_eq!(manager.send(Method::PATCH, &path, &[], Some(&body)).await.status, 428);
    let mut client = shop.client();
    assert_eq!(client.get("/api/v1/products/C1").await.body["name"], "Mug");
    let retired = manager.send(Method::DELETE, &path, &[("if-match", "\"2\"")], None).await;
    assert_eq!(retired.body["active"], false, "{retired:?}");
    assert_eq!(client.get("/api/v1/products/C1").await.status, 404);
    assert_eq!(client.get("/api/v1/products").await.body["items"], json!([]));
    assert_eq!(manager.get("/api/v1/admin/products").await.body["items"][0]["sku"], "C1");
});

db_test!(a_delivery_is_booked_once, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut manager = shop.program(Role::Manager).await;
    let line = json!({ "sku": "C1", "name": "Cup", "pieces": 10, "price": { "pence": 250 } });
    let delivery = json!({ "key": "d1", "lines": [line] });
    let mut book = async |body| manager.post("/api/v1/admin/deliveries", body).await;
    assert_eq!(book(&delivery).await.body, json!({ "booked": true }));
    assert_eq!(book(&delivery).await.body, json!({ "booked": false }));
    let other = json!({ "key": "d1", "lines": [line, line] });
    assert_eq!(book(&other).await.status, 409);
    assert_eq!(shop.client().get("/api/v1/products/C1").await.body["stock"], 10);
});

db_test!(a_promotion_changes_the_price_of_a_cart_at_once, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 50).await;
    let mut manager = shop.program(Role::Manager).await;
    let mut client = shop.client();
    client.post("/api/v1/cart/lines", &json!({ "sku": "A1", "quantity": 10 })).await;
    assert_eq!(client.get("/api/v1/cart").await.body["total"]["pence"], 1_000);
    let path = "/api/v1/admin/promotions/TEN";
    let rule = json!({ "rule": { "kind": "percentage", "percent": 10 } });
    let put = manager.send(Method::PUT, path, &[], Some(&rule)).await;
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(client.get("/api/v1/cart").await.body["total"]["pence"], 900);
    let listed = manager.get("/api/v1/admin/promotions").await.body;
    assert_eq!(listed["items"][0]["rule"], json!({ "kind": "percentage", "sku": null, "percent": 10 }));
    let upside_down = json!({ "rule": { "kind": "percentage", "percent": 10 },
        "starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z" });
    assert_eq!(manager.send(Method::PUT, path, &[], Some(&upside_down)).await.status, 409);
    assert_eq!(manager.send(Method::DELETE, path, &[], None).await.status, 204);
    assert_eq!(manager.send(Method::DELETE, path, &[], None).await.status, 404);
    assert_eq!(client.get("/api/v1/cart").await.body["total"]["pence"], 1_000);
});

db_test!(the_audit_tells_who_did_it, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut manager = shop.program(Role::Manager).await;
    let mut admin = shop.program(Role::Admin).await;
    let new = json!({ "sku": "C1", "name": "Cup", "price": { "pence": 250 } });
    assert_eq!(manager.post("/api/v1/admin/products", &new).await.status, 201);
    let rows = admin.get("/api/v1/admin/audit?subject=product:C1&limit=1").await;
    assert_eq!(rows.status, 200, "{rows:?}");
    let manager_id = manager.get("/api/v1/account").await.body["id"].as_i64().unwrap();
    assert_eq!(rows.body["items"][0]["who"], format!("user:{manager_id}"));
    assert_eq!(rows.body["items"][0]["action"], "product.create");
    let next = rows.body["next"].as_i64().unwrap();
    let rest = admin.get(&format!("/api/v1/admin/audit?subject=product:C1&after={next}")).await;
    assert_eq!(rest.body["items"], json!([]));
    let report = admin.get("/api/v1/admin/audit/verification").await;
    assert_eq!((report.status, &report.body["whole"]), (200, &json!(true)), "{report:?}");
});

db_test!(accounts_come_in_pages, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut admin = shop.program(Role::Admin).await;
    for n in 0..3 {
        shop.buyer(&format!("buyer{n}@shop.example")).await;
    }
    let page = admin.get("/api/v1/admin/users?search=buyer&limit=2").await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 2, "{page:?}");
    let next = page.body["next"].as_str().unwrap();
    let rest = admin.get(&format!("/api/v1/admin/users?search=buyer&limit=2&after={next}")).await;
    assert_eq!(rest.body["items"][0]["email"], "buyer2@shop.example");
    assert_eq!(rest.body.get("next"), None);
});
