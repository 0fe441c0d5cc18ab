//! Signing up, in and out; passwords; tokens; and what a foreign page can't do.

use hyper::Method;
use pulse_data::db_test;
use serde_json::json;

use crate::stage::{Shop, config};
use pulse_web::{Rate, ServeOptions, WebConfig};

const PASSWORD: &str = "long enough for a test";

db_test!(a_session_begins_and_ends, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut ann = shop.buyer("ann@shop.example").await;
    let session = ann.get("/api/v1/session").await.body;
    assert_eq!((&session["role"], &session["email"]), (&json!("buyer"), &json!("ann@shop.example")));
    assert_eq!(session["csrf_token"].as_str(), ann.csrf.as_deref());
    assert_eq!(ann.get("/api/v1/account").await.body["email"], "ann@shop.example");
    let kept = ann.clone();
    assert_eq!(ann.send(Method::DELETE, "/api/v1/session", &[], None).await.status, 204);
    assert!(ann.cookies.is_empty());
    // The cookie itself is worth nothing any more, at once.
    let mut thief = kept;
    assert_eq!(thief.get("/api/v1/account").await.status, 401);
    assert_eq!(thief.get("/api/v1/session").await.body["role"], "guest");
});

db_test!(wrong_credentials_are_all_the_same, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.buyer("ann@shop.example").await;
    let mut client = shop.client();
    let mut try_in = async |email: &str, password: &str| {
        let reply = client.post("/api/v1/session", &json!({ "email": email, "password": password })).await;
        (reply.status, reply.body["detail"].clone(), reply.body["type"].clone())
    };
    let wrong = try_in("ann@shop.example", "wrong").await;
    assert_eq!(wrong.0, 401);
    assert_eq!(try_in("nobody@shop.example", "wrong").await, wrong);
    assert_eq!(try_in("no address", "wrong").await, wrong);
});

db_test!(an_address_names_one_account, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.buyer("ann@shop.example").await;
    let again = json!({ "email": "Ann@Shop.example", "password": PASSWORD });
    let reply = shop.client().post("/api/v1/accounts", &again).await;
    assert_eq!((reply.status, reply.fault()), (409, ("/email".into(), "taken".into())));
});

db_test!(a_changed_password_ends_the_other_sessions, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut ann = shop.buyer("ann@shop.example").await;
    let mut other = shop.client();
    let who = json!({ "email": "ann@shop.example", "password": PASSWORD });
    assert_eq!(other.post("/api/v1/session", &who).await.status, 200);
    let wrong = json!({ "old_password": "wrong", "new_password": "another long one" });
    assert_eq!(ann.send(Method::PUT, "/api/v1/account/password", &[], Some(&wrong)).await.status, 403);
    let right = json!({ "old_password": PASSWORD, "new_password": "another long one" });
    assert_eq!(ann.send(Method::PUT, "/api/v1/account/password", &[], Some(&right)).await.status, 204);
    assert_eq!(ann.get("/api/v1/account").await.status, 200);
    assert_eq!(other.get("/api/v1/account").await.status, 401);
});

db_test!(a_forgotten_password_is_set_by_letter, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.buyer("ann@shop.example").await;
    let mut client = shop.client();
    for email in ["ann@shop.example", "nobody@shop.example"] {
        let reply = client.post("/api/v1/password-resets", &json!({ "email": email })).await;
        assert_eq!((reply.status, reply.text.as_str()), (202, ""));
    }
    let guess = json!({ "token": "guess", "password": "another long one" });
    assert_eq!(client.post("/api/v1/password-resets/confirm", &guess).await.status, 409);
});

db_test!(a_token_acts_for_its_account_until_it_is_revoked, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut ann = shop.buyer("ann@shop.example").await;
    let made = ann.post("/api/v1/account/tokens", &json!({ "name": "scripts" })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let mut program = shop.client();
    program.bearer = made.body["secret"].as_str().map(str::to_owned);
    assert_eq!(program.get("/api/v1/account").await.body["email"], "ann@shop.example");
    // No cookie, so no foreign page can have sent it: no CSRF token needed.
    let changed = program.post("/api/v1/account/tokens", &json!({ "name": "more" })).await;
    assert_eq!(changed.status, 201, "{changed:?}");
    let listed = ann.get("/api/v1/account/tokens").await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][0].get("secret"), None);
    let path = format!("/api/v1/account/tokens/{}", made.body["id"]);
    assert_eq!(ann.send(Method::DELETE, &path, &[], None).await.status, 204);
    assert_eq!(program.get("/api/v1/account").await.status, 401);
    assert_eq!(ann.send(Method::DELETE, &path, &[], None).await.status, 404);
});

db_test!(a_sessions_secret_is_no_bearer_token, |repo| async move {
    let shop = Shop::open(repo).await;
    let ann = shop.buyer("ann@shop.example").await;
    let mut program = shop.client();
    program.bearer = ann.cookies.get("pulse-session").cloned();
    assert_eq!(program.get("/api/v1/account").await.status, 401);
});

db_test!(a_cookie_alone_changes_nothing, |repo| async move {
    let shop = Shop::open(repo).await;
    shop.stock(1, 5).await;
    let ann = shop.buyer("ann@shop.example").await;
    let line = json!({ "sku": "A1", "quantity": 1 });
    let send = async |csrf: Option<&str>, headers: &[(&str, &str)]| {
        let mut client = ann.clone();
        client.csrf = csrf.map(str::to_owned);
        client.send(Method::POST, "/api/v1/cart/lines", headers, Some(&line)).await.status
    };
    let token = ann.csrf.clone();
    assert_eq!(send(None, &[]).await, 403);
    assert_eq!(send(Some("guess"), &[]).await, 403);
    let bob = shop.buyer("bob@shop.example").await;
    assert_eq!(send(bob.csrf.as_deref(), &[]).await, 403, "another session's token");
    let own_origin = format!("http://{}", shop.address);
    assert_eq!(send(token.as_deref(), &[("origin", "https://evil.example")]).await, 403);
    assert_eq!(send(token.as_deref(), &[("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(send(token.as_deref(), &[("origin", &own_origin)]).await, 200);
    assert_eq!(send(token.as_deref(), &[("sec-fetch-site", "same-origin")]).await, 200);
    // Signing in is a change too: a foreign page must not sign its visitors in as somebody else.
    let who = json!({ "email": "ann@shop.example", "password": PASSWORD });
    let foreign = [("sec-fetch-site", "cross-site")];
    let mut client = shop.client();
    assert_eq!(client.send(Method::POST, "/api/v1/session", &foreign, Some(&who)).await.status, 403);
});

db_test!(over_tls_cookies_are_bound_to_the_host, |repo| async move {
    let config = WebConfig { public_url: "https://shop.example".into(), ..config() };
    let shop = Shop::open_with(repo, config, ServeOptions::default()).await;
    shop.stock(1, 5).await;
    let mut client = shop.client();
    let reply = client.post("/api/v1/cart/lines", &json!({ "sku": "A1", "quantity": 1 })).await;
    let set = reply.header("set-cookie");
    assert!(set.starts_with("__Host-pulse-cart="), "{set}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(reply.header("strict-transport-security").contains("max-age"));
    assert_eq!(client.get("/api/v1/cart").await.body["lines"].as_array().unwrap().len(), 1);
});

db_test!(guessing_has_an_allowance_of_its_own, |repo| async move {
    let attempts = Rate { burst: 3.try_into().unwrap(), one_per: std::time::Duration::from_hours(1) };
    let shop = Shop::open_with(repo, WebConfig { attempts, ..config() }, ServeOptions::default()).await;
    let mut client = shop.client();
    let who = json!({ "email": "ann@shop.example", "password": "wrong" });
    for _ in 0..3 {
        assert_eq!(client.post("/api/v1/session", &who).await.status, 401);
    }
    let refused = client.post("/api/v1/session", &who).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 3_000, "{refused:?}");
    assert_eq!(client.get("/api/v1/products").await.status, 200);
});
