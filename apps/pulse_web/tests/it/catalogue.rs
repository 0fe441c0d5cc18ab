//! What is for sale.

use hyper::Method;
use pulse_core::Role;
use pulse_data::db_test;
use serde_json::json;

use crate::stage::Shop;

db_test!(a_list_goes_on_where_its_page_ended, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(7, 5).await;
    let mut client = shop.client();
    let mut path = "/api/v1/products?sort=price_desc&limit=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = client.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["price"]["pence"].as_i64().unwrap()));
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("/api/v1/products?sort=price_desc&limit=3&after={next}");
    }
    assert_eq!(seen, [700, 600, 500, 400, 300, 200, 100]);
});

db_test!(search_filter_and_price_range_choose_products, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(12, 5).await;
    let mut client = shop.client();
    let mut count = async |query: &str| {
        let page = client.get(&format!("/api/v1/products?limit=100&{query}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.body["items"].as_array().unwrap().len()
    };
    assert_eq!(count("search=CUP%20number%201").await, 4);
    assert_eq!(count("search=a12").await, 1);
    assert_eq!(count("search=%25").await, 0);
    assert_eq!(count("min_pence=300&max_pence=500").await, 3);
    assert_eq!(count("in_stock=true").await, 12);
    assert_eq!(count("category=none").await, 0);
});

db_test!(a_product_is_not_sent_again_until_it_changes, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(2, 5).await;
    let mut client = shop.client();
    let mut manager = shop.program(Role::Manager).await;
    for path in ["/api/v1/products/A1", "/api/v1/products"] {
        let first = client.get(path).await;
        let etag = first.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.len() > 10, "{etag}");
        for tag in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let again = client.send(Method::GET, path, &[("if-none-match", &tag)], None).await;
            assert_eq!((again.status, again.text.as_str()), (304, ""), "{path} {tag}");
            assert_eq!(again.header("etag"), etag);
        }
        let stock = json!({ "stock": 1_000 + etag.len() + path.len() });
        let set = manager.send(Method::PUT, "/api/v1/admin/products/A1/stock", &[], Some(&stock)).await;
        assert_eq!(set.status, 200, "{set:?}");
        let changed = client.send(Method::GET, path, &[("if-none-match", &etag)], None).await;
        assert_eq!(changed.status, 200);
        assert_ne!(changed.header("etag"), etag);
    }
});

db_test!(a_sale_shows_in_the_product_soon, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut client = shop.client();
    assert_eq!(client.get("/api/v1/products/A1").await.body["stock"], 5);
    client.post("/api/v1/cart/lines", &json!({ "sku": "A1", "quantity": 2 })).await;
    let order = json!({ "email": "ann@shop.example", "country": "United Kingdom" });
    let placed =
        client.send(Method::POST, "/api/v1/checkout", &[("idempotency-key", "k")], Some(&order)).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    while client.get("/api/v1/products/A1").await.body["stock"] != 3 {
        tokio::task::yield_now().await;
    }
    while client.get("/api/v1/products").await.body["items"][0]["stock"] != 3 {
        tokio::task::yield_now().await;
    }
});

db_test!(what_is_not_for_sale_is_not_there, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let mut client = shop.client();
    for path in
        ["/api/v1/products/B1", "/api/v1/products/a%20b", "/api/v1/products/%00", "/api/v1/products/%ff"]
    {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
});
