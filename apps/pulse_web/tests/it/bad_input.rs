//! Input of every bad kind gets a problem that names its field.

use hyper::Method;
use pulse_core::Role;
use pulse_data::db_test;
use serde_json::{Value, json};

use crate::stage::Shop;

fn bodies() -> Vec<(Method, &'static str, Value, &'static str, &'static str)> {
    let (lines, products) = ("/api/v1/cart/lines", "/api/v1/admin/products");
    let (accounts, checkout) = ("/api/v1/accounts", "/api/v1/checkout");
    let product = |field: &str, value: Value| {
        let mut all = json!({ "sku": "N1", "name": "New", "price": { "pence": 1 } });
        all[field] = value;
        all
    };
    let order = |field: &str, value: Value| {
        let mut all = json!({ "email": "a@b.uk", "country": "UK" });
        all[field] = value;
        all
    };
    let long = |n: usize| json!("x".repeat(n));
    vec![
        (Method::POST, lines, json!({}), "/sku", "required"),
        (Method::POST, lines, json!({ "sku": "A1" }), "/quantity", "required"),
        (Method::POST, lines, json!(["A1", 1]), "", "type"),
        (Method::POST, products, product("price", json!([1, "GBP"])), "/price", "type"),
        (Method::POST, lines, json!({ "sku": "A1", "quantity": 0 }), "/quantity", "range"),
        (Method::POST, lines, json!({ "sku": "A1", "quantity": -5 }), "/quantity", "range"),
        (Method::POST, lines, json!({ "sku": "A1", "quantity": 10_001 }), "/quantity", "range"),
        (Method::POST, lines, json!({ "sku": "A1", "quantity": 1.5 }), "/quantity", "type"),
        (Method::POST, lines, json!({ "sku": "A1", "quantity": "1" }), "/quantity", "type"),
        (Method::POST, lines, json!({ "sku": "A1", "quantity": null }), "/quantity", "type"),
        (Method::POST, lines, json!({ "sku": "A1", "quantity": 1e300 }), "/quantity", "type"),
        (Method::POST, lines, json!({ "sku": "A 1", "quantity": 1 }), "/sku", "format"),
        (Method::POST, lines, json!({ "sku": "A\u{0}", "quantity": 1 }), "/sku", "format"),
        (Method::POST, lines, json!({ "sku": long(24), "quantity": 1 }), "/sku", "format"),
        (Method::POST, lines, json!({ "sku": "A1", "quantity": 1, "price": 1 }), "/price", "unknown"),
        (Method::POST, products, product("name", json!("a\u{0}b")), "/name", "format"),
        (Method::POST, products, product("name", json!("")), "/name", "length"),
        (Method::POST, products, product("name", long(201)), "/name", "length"),
        (Method::POST, products, product("name", json!(" x")), "/name", "format"),
        (Method::POST, products, product("category", long(61)), "/category", "length"),
        (Method::POST, products, product("description", json!("\u{0}")), "/description", "format"),
        (Method::POST, products, product("description", long(4_001)), "/description", "length"),
        (Method::POST, products, product("vat", json!("half")), "/vat", "choice"),
        (Method::POST, products, product("active", json!("yes")), "/active", "type"),
        (Method::POST, products, product("price", json!({ "pence": -1 })), "/price/pence", "range"),
        (Method::POST, products, product("price", json!({ "pence": i64::MAX })), "/price/pence", "range"),
        (
            Method::POST,
            products,
            product("price", json!({ "pence": 1, "currency": "XXX" })),
            "/price/currency",
            "choice",
        ),
        (Method::POST, "/api/v1/admin/deliveries", json!({ "key": "k", "lines": [] }), "/lines", "length"),
        (
            Method::POST,
            "/api/v1/admin/deliveries",
            json!({ "key": "k", "lines": [{ "sku": "A1", "name": "n", "pieces": -1, "price": { "pence": 1 } }] }),
            "/lines/0/pieces",
            "range",
        ),
        (Method::POST, accounts, json!({ "email": "no", "password": "long enough" }), "/email", "length"),
        (
            Method::POST,
            accounts,
            json!({ "email": "no address", "password": "long enough" }),
            "/email",
            "format",
        ),
        (Method::POST, accounts, json!({ "email": "a@b.uk", "password": "short" }), "/password", "length"),
        (Method::POST, accounts, json!({ "email": "a@b.uk", "password": long(257) }), "/password", "length"),
        (Method::POST, checkout, order("country", json!("")), "/country", "length"),
        (Method::POST, checkout, order("country", long(61)), "/country", "length"),
        (Method::POST, checkout, order("email", json!("a@b\u{0}.uk")), "/email", "format"),
        (Method::POST, checkout, order("payment", json!("gold")), "/payment", "choice"),
        (
            Method::PUT,
            "/api/v1/admin/promotions/P",
            json!({ "rule": { "kind": "percentage", "percent": 101 } }),
            "/rule",
            "range",
        ),
        (
            Method::PUT,
            "/api/v1/admin/promotions/P",
            json!({ "rule": { "kind": "gift" } }),
            "/rule/kind",
            "choice",
        ),
        (Method::PUT, "/api/v1/admin/products/A1/stock", json!({ "stock": -1 }), "/stock", "range"),
        (Method::POST, "/api/v1/admin/orders/1/steps", json!({ "step": "pay" }), "/step", "choice"),
    ]
}

db_test!(a_body_with_a_fault_names_its_field, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut manager = shop.program(Role::Manager).await;
    for (method, path, body, field, code) in bodies() {
        let reply = manager.send(method, path, &[("idempotency-key", "k")], Some(&body)).await;
        let got = (reply.status, reply.fault());
        assert_eq!(got, (422, (field.to_owned(), code.to_owned())), "{path} {body}: {}", reply.text);
    }
    assert_eq!(manager.get("/api/v1/admin/products").await.body["items"], json!([]), "nothing was done");
});

db_test!(a_body_with_several_faults_names_them_all, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut manager = shop.program(Role::Manager).await;
    let faults = |body: &Value| -> Vec<(String, String)> {
        let text = |fault: &Value, key: &str| fault[key].as_str().unwrap().to_owned();
        let all = body["errors"].as_array().unwrap().iter();
        let mut all: Vec<_> = all.map(|fault| (text(fault, "field"), text(fault, "code"))).collect();
        all.sort();
        all
    };
    let named = |all: &[(&str, &str)]| -> Vec<_> {
        all.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
    };
    let reply = manager.post("/api/v1/cart/lines", &json!({})).await;
    assert_eq!(faults(&reply.body), named(&[("/quantity", "required"), ("/sku", "required")]));
    assert_eq!(reply.body["detail"], "2 fields make no sense");
    let body = json!({ "sku": "a b", "name": " x", "price": { "pence": -1, "currency": "XXX" }, "vat": "half", "x": 1 });
    let reply = manager.post("/api/v1/admin/products", &body).await;
    let expected = [
        ("/name", "format"),
        ("/price/currency", "choice"),
        ("/price/pence", "range"),
        ("/sku", "format"),
        ("/vat", "choice"),
        ("/x", "unknown"),
    ];
    assert_eq!((reply.status, faults(&reply.body)), (422, named(&expected)));
    let line = |pieces: i64, name: &str| json!({ "sku": "A1", "name": name, "pieces": pieces, "price": { "pence": 1 } });
    let body = json!({ "key": "k", "lines": [line(-1, "n"), line(1, "n"), line(1, "")] });
    let reply = manager.post("/api/v1/admin/deliveries", &body).await;
    assert_eq!(faults(&reply.body), named(&[("/lines/0/pieces", "range"), ("/lines/2/name", "length")]));
    let reply = manager.post("/api/v1/accounts", &json!({ "email": "no", "password": "short" })).await;
    assert_eq!(faults(&reply.body), named(&[("/email", "length"), ("/password", "length")]));
});

db_test!(a_query_with_a_fault_names_its_parameter, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut admin = shop.program(Role::Admin).await;
    for (path, field, code) in [
        ("/api/v1/products?limit=0", "limit", "range"),
        ("/api/v1/products?limit=101", "limit", "range"),
        ("/api/v1/products?limit=ten", "limit", "type"),
        ("/api/v1/products?limit=", "limit", "type"),
        ("/api/v1/products?limit=1&limit=2", "limit", "duplicate"),
        ("/api/v1/products?limt=1", "limt", "unknown"),
        ("/api/v1/products?sort=best", "sort", "choice"),
        ("/api/v1/products?min_pence=-1", "min_pence", "range"),
        ("/api/v1/products?max_pence=99999999999999999999", "max_pence", "type"),
        ("/api/v1/products?in_stock=maybe", "in_stock", "type"),
        ("/api/v1/products?search=", "search", "length"),
        ("/api/v1/products?search=%00", "search", "format"),
        ("/api/v1/products?search=%ff", "search", "format"),
        ("/api/v1/products?category=a%0db", "category", "format"),
        ("/api/v1/products?after=nonsense", "after", "cursor"),
        ("/api/v1/products?after=%3D", "after", "format"),
        ("/api/v1/orders?status=lost", "status", "choice"),
        ("/api/v1/orders?after=nonsense", "after", "cursor"),
        ("/api/v1/admin/users?role=king", "role", "choice"),
        ("/api/v1/admin/users?after=nonsense", "after", "cursor"),
        ("/api/v1/admin/users?search=%00", "search", "format"),
        ("/api/v1/admin/audit?after=0", "after", "range"),
        ("/api/v1/admin/audit?who=%00", "who", "format"),
    ] {
        let reply = admin.get(path).await;
        let got = (reply.status, reply.fault());
        assert_eq!(got, (422, (field.to_owned(), code.to_owned())), "{path}: {}", reply.text);
    }
});

db_test!(an_address_that_names_nothing_is_404, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut admin = shop.program(Role::Admin).await;
    for path in [
        "/api/v1/orders/0",
        "/api/v1/orders/-1",
        "/api/v1/orders/+1",
        "/api/v1/orders/x",
        "/api/v1/orders/99999999999999999999",
        "/api/v1/orders/9223372036854775807",
        "/api/v1/admin/users/0",
        "/api/v1/admin/users/999",
        "/api/v1/admin/products/%00",
        "/api/v1/admin/products/%ff",
        "/api/v1/admin/products/none",
        "/api/v1/checkout/%00",
        "/api/v1/checkout/none",
    ] {
        assert_eq!(admin.get(path).await.status, 404, "{path}");
    }
});

db_test!(a_header_with_a_fault_is_named, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut client = shop.client();
    let line = json!({ "sku": "A1", "quantity": 1 });
    let long = "k".repeat(65);
    for key in ["", "a b", "\u{e9}", &long] {
        let reply =
            client.send(Method::POST, "/api/v1/cart/lines", &[("idempotency-key", key)], Some(&line)).await;
        assert_eq!((reply.status, reply.fault().0.as_str()), (422, "Idempotency-Key"), "{key}");
    }
});
