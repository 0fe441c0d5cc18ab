//! Who may do what: each role at each door, as the description says it.

use hyper::Method;
use pulse_core::Role;
use pulse_data::db_test;
use pulse_web::{WebConfig, openapi};
use serde_json::{Value, json};

use crate::stage::{Client, Shop};

/// A body that makes sense, so that what refuses is the role and nothing else.
fn body(path: &str, method: &str) -> Option<Value> {
    let password = "long enough for a test";
    Some(match (method, path) {
        ("post", "/api/v1/admin/products") => json!({ "sku": "N1", "name": "New", "price": { "pence": 1 } }),
        ("patch", "/api/v1/admin/products/{sku}") => json!({ "name": "Other" }),
        ("put", "/api/v1/admin/products/{sku}/stock") => json!({ "stock": 1 }),
        ("post", "/api/v1/admin/deliveries") => {
            json!({ "key": "d", "lines": [{ "sku": "N2", "name": "n", "pieces": 1, "price": { "pence": 1 } }] })
        }
        ("put", "/api/v1/admin/promotions/{code}") => {
            json!({ "rule": { "kind": "percentage", "percent": 5 } })
        }
        ("post", "/api/v1/admin/orders/{id}/steps") => json!({ "step": "pack" }),
        ("post", "/api/v1/admin/orders/{id}/returns") => json!({ "lines": [{ "line": 1, "quantity": 1 }] }),
        ("post", "/api/v1/admin/users") => {
            json!({ "email": "new@shop.example", "password": password, "role": "buyer" })
        }
        ("patch", "/api/v1/admin/users/{id}" | "/api/v1/admin/webhooks/{id}") => json!({}),
        ("post", "/api/v1/admin/webhooks") => {
            json!({ "url": "https://example.com", "events": ["order.placed"] })
        }
        ("post", "/api/v1/admin/webhooks/{id}/secret") => json!({ "overlap_hours": 1 }),
        ("put", "/api/v1/account/password") => json!({ "old_password": "x", "new_password": password }),
        ("post", "/api/v1/account/tokens") => json!({ "name": "n" }),
        _ => return None,
    })
}

/// A door's address.
fn address(path: &str) -> String {
    let address = path.split('/').map(|part| match part {
        "{sku}" => "A1",
        "{kind}" => "prices",
        part if part.starts_with('{') => "999",
        part => part,
    });
    address.collect::<Vec<_>>().join("/")
}

fn method_named(method: &str) -> Method {
    Method::from_bytes(method.to_uppercase().as_bytes()).unwrap()
}

/// Asks for something that makes sense.
async fn knock(client: &mut Client, path: &str, method: &str) -> u16 {
    let (address, method_name) = (address(path), method_named(method));
    if path == "/api/v1/feeds/{kind}" {
        let (address, rows) = (format!("{address}?source=acme"), "sku,price\nA1,1.50\n".into());
        return client.raw(method_name, &address, &[("content-type", "text/csv")], rows).await.status;
    }
    let headers = [("if-match", "\"1\""), ("idempotency-key", "k")];
    client.send(method_name, &address, &headers, body(path, method).as_ref()).await.status
}

/// Asks for something that makes no sense at all.
async fn babble(client: &mut Client, path: &str, method: &str) -> u16 {
    let address = format!("{}?no_such=field", address(path));
    let headers = [("content-type", "text/plain"), ("idempotency-key", "no key")];
    client.raw(method_named(method), &address, &headers, "no body".into()).await.status
}

/// The least role that an operation's description names.
fn needed(operation: &Value) -> Option<Role> {
    let text = operation["description"].as_str()?;
    let after = text.split("Needs the role ").nth(1)?;
    after.split(|c: char| !c.is_ascii_alphabetic()).next()?.parse().ok()
}

db_test!(each_role_gets_through_the_doors_that_the_description_opens, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let document = openapi(&WebConfig::default());
    let mut guest = shop.client();
    let mut staff = Vec::new();
    for role in Role::ALL {
        staff.push((role, shop.program(role).await));
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            let open = operation["security"].as_array().unwrap().contains(&json!({}));
            if open {
                continue;
            }
            assert_eq!(knock(&mut guest, path, method).await, 401, "a guest at {what}");
            assert_eq!(babble(&mut guest, path, method).await, 401, "a guest at {what}");
            let least = needed(operation);
            if path.contains("/admin/") {
                assert!(least.is_some(), "{what} does not say which role it needs");
            }
            for (role, client) in &mut staff {
                let status = knock(client, path, method).await;
                if least.is_some_and(|least| *role < least) {
                    // A step that takes goods back needs less than the others, and an order has no number 999.
                    let step = path.ends_with("/steps") && *role == Role::Support;
                    assert!(status == 403 || (step && status == 404), "{role} at {what}: {status}");
                    // Who may not, is told so before what it sends is looked at.
                    assert!(step || babble(client, path, method).await == 403, "{role} at {what}");
                } else {
                    assert!(status != 403 || path.ends_with("/password"), "{role} at {what}: {status}");
                    assert!(status != 422, "{role} at {what}: the body is wrong");
                }
            }
        }
    }
});

db_test!(a_bearer_token_that_is_wrong_is_told_everywhere, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    for value in ["Bearer nonsense", "Bearer ", "Basic YTpi", "x"] {
        for path in ["/api/v1/products", "/api/v1/cart", "/api/v1/account"] {
            let reply = client.send(Method::GET, path, &[("authorization", value)], None).await;
            assert_eq!(reply.status, 401, "{value} at {path}");
            assert!(reply.header("www-authenticate").starts_with("Bearer"));
        }
    }
});

db_test!(a_lock_and_a_lower_role_hold_at_once, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut admin = shop.program(Role::Admin).await;
    let mut manager = shop.program(Role::Manager).await;
    let id = manager.get("/api/v1/account").await.body["id"].as_i64().unwrap();
    let path = format!("/api/v1/admin/users/{id}");
    assert_eq!(manager.get("/api/v1/admin/promotions").await.status, 200);
    let change = async |admin: &mut Client, body: Value| {
        admin.send(Method::PATCH, &path, &[], Some(&body)).await.status
    };
    assert_eq!(change(&mut admin, json!({ "role": "buyer" })).await, 200);
    assert_eq!(manager.get("/api/v1/admin/promotions").await.status, 403);
    assert_eq!(change(&mut admin, json!({ "locked": true })).await, 200);
    assert_eq!(manager.get("/api/v1/account").await.status, 401);
    let own = admin.get("/api/v1/account").await.body["id"].as_i64().unwrap();
    let own = format!("/api/v1/admin/users/{own}");
    let last = admin.send(Method::PATCH, &own, &[], Some(&json!({ "role": "buyer" }))).await;
    assert_eq!(last.status, 409, "{last:?}");
});
