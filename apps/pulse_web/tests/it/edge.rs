//! What every request passes.

use axum::body::Bytes;
use hyper::Method;
use pulse_data::db_test;
use pulse_web::{Rate, ServeOptions, WebConfig};
use serde_json::json;

use crate::stage::{Shop, config};

db_test!(every_answer_has_its_request_and_its_guards, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    for path in ["/", "/api/docs", "/api/openapi.json", "/api/v1/products", "/nowhere", "/api/v1/orders"] {
        let reply = client.get(path).await;
        assert_eq!(reply.header("x-request-id").len(), 16, "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert!(reply.header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(!reply.header("cache-control").is_empty(), "{path}");
    }
    let given = client.send(Method::GET, "/nowhere", &[("x-request-id", "abc-1")], None).await;
    assert_eq!(given.header("x-request-id"), "abc-1");
    assert_eq!(given.body["instance"], "urn:request:abc-1");
    let forged = client.send(Method::GET, "/", &[("x-request-id", "a b\u{e9}")], None).await;
    assert_eq!(forged.header("x-request-id").len(), 16);
});

db_test!(what_is_not_there_is_a_problem, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    let reply = client.get("/nowhere").await;
    assert_eq!(reply.status, 404);
    for key in ["type", "title", "status", "detail", "instance"] {
        assert!(reply.body.get(key).is_some(), "{key}: {reply:?}");
    }
    let reply = client.send(Method::PATCH, "/api/v1/cart", &[], None).await;
    assert_eq!(reply.status, 405);
    let mut allowed: Vec<_> = reply.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD"]);
    let reply = client.send(Method::HEAD, "/api/v1/products", &[], None).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, ""));
});

db_test!(a_body_is_json_and_not_too_large, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    let path = "/api/v1/cart/lines";
    let plain = [("content-type", "text/plain")];
    assert_eq!(client.raw(Method::POST, path, &plain, Bytes::from_static(b"{}")).await.status, 415);
    assert_eq!(client.raw(Method::POST, path, &[], Bytes::from_static(b"{}")).await.status, 415);
    let json = [("content-type", "application/json")];
    for broken in [&b"{"[..], b"", b"{\"sku\":\"\xff\"}", b"nonsense"] {
        assert_eq!(client.raw(Method::POST, path, &json, Bytes::copy_from_slice(broken)).await.status, 400);
    }
    let large = Bytes::from(vec![b' '; 65 * 1024]);
    assert_eq!(client.raw(Method::POST, path, &json, large).await.status, 413);
});

db_test!(a_client_that_comes_too_often_is_told_when_to_come_again, |repo| async move {
    let requests = Rate { burst: 5.try_into().unwrap(), one_per: std::time::Duration::from_hours(1) };
    let config = WebConfig { requests, proxies: 1, ..config() };
    let shop = Shop::open_with(repo, config, ServeOptions::default()).await;
    let mut client = shop.client();
    for _ in 0..5 {
        assert_eq!(client.get("/").await.status, 200);
    }
    let refused = client.get("/").await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 3_000);
    assert_eq!(refused.body["type"], "/api/docs#problem-rate-limited");
    // Behind our proxy each client has its own; what it claims of itself does not count.
    let other = [("x-forwarded-for", "127.0.0.1, 203.0.113.9")];
    assert_eq!(client.send(Method::GET, "/", &other, None).await.status, 200);
});

db_test!(a_page_loads_nothing_but_the_shops_own_files, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    let page = client.get("/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'; "));
    let mut loaded = 0;
    for attribute in [" src=\"", "rel=\"stylesheet\" href=\"", "rel=\"icon\" href=\""] {
        for (at, _) in page.text.match_indices(attribute) {
            let address = page.text[at + attribute.len()..].split('"').next().unwrap();
            assert!(address.starts_with("/assets/"), "{address}");
            let file = client.get(address).await;
            assert_eq!(file.status, 200, "{address}");
            assert!(file.header("cache-control").contains("immutable"), "{address}");
            loaded += 1;
        }
    }
    assert!(loaded >= 5, "{loaded} files");
});

db_test!(an_address_of_nothing_is_a_page_for_people_and_a_problem_for_programs, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    let program = client.get("/nowhere").await;
    assert_eq!((program.status, program.body["type"].as_str()), (404, Some("/api/docs#problem-not-found")));
    let api = client.send(Method::GET, "/api/v1/nowhere", &[("accept", "text/html")], None).await;
    assert_eq!((api.status, api.header("content-type")), (404, "application/problem+json"));
    let page = shop.text("/nowhere", "text/html").await;
    assert!(page.starts_with("HTTP/1.1 404") && page.contains("Nothing here"), "{page}");
});

db_test!(the_description_needs_nothing_else, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    let page = client.get("/api/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for outside in ["<script", "<link", "<img", "src=", "@import", "url("] {
        assert!(!page.text.contains(outside), "{outside}");
    }
    assert!(page.text.contains("name=\"viewport\"") && page.text.contains("prefers-color-scheme:dark"));
    assert!(page.header("content-security-policy").contains("style-src 'sha256-"));
    let docs = client.get("/api/docs").await.text;
    for shown in ["/api/v1/checkout", "problem-out-of-stock", "Idempotency-Key", "shape-Problem"] {
        assert!(docs.contains(shown), "{shown}");
    }
});

db_test!(a_store_that_is_gone_is_told_as_503, |repo| async move {
    let shop = Shop::open(repo.clone()).await;
    let mut client = shop.client();
    repo.close().await;
    let reply = client.get("/api/v1/products").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(!reply.header("retry-after").is_empty());
    let reply = client.post("/api/v1/session", &json!({ "email": "a@b.uk", "password": "p" })).await;
    assert_eq!(reply.status, 503, "{reply:?}");
});
